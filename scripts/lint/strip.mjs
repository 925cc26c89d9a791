// C++ and CUDA text without its comments and the contents of its literals; every line stays where it was.

const tokens = new RegExp(
  [
    /\/\/[^\n]*/, // line comment
    /\/\*[^]*?\*\//, // block comment
    /R"([^\s()\\]*)\([^]*?\)\1"/, // raw string
    /"(?:[^"\\\n]|\\.)*"/, // string
    /(?<![\da-fA-F])'(?:[^'\\\n]|\\.)+'/, // character; 1'000 is a number
  ]
    .map(({source}) => source)
    .join('|'),
  'g',
);

/** @param {string} text */
export function stripCpp(text) {
  return text.replace(tokens, (token) => token.replace(/[^\n]/g, ' '));
}
