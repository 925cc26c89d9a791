# The native addon, for node-gyp. Its sources are listed in native/sources.json, which CMakeLists.txt reads too.
{
  "variables": {
    "host_sources": ["<!@(node -p \"require('./native/sources.json').host.join(' ')\")"],
    "kernel_sources": ["<!@(node -p \"require('./native/sources.json').kernels.join(' ')\")"]
  },
  "target_defaults": {
    "default_configuration": "Release",
    "include_dirs": ["native"],
    "cflags": ["-O3", "-Wall", "-Wextra", "-Wno-psabi", "-fvisibility=hidden"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": [
      "-std=c++20", "-fexceptions", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast",
      "-fvisibility-inlines-hidden"
    ],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "13.3"
    }
  },
  "targets": [
    {
      "target_name": "kernels-baseline",
      "type": "static_library",
      "sources": ["<@(kernel_sources)"],
      "defines": ["CROSSMAP_ISA=baseline"]
    },
    {
      # Kernels of the least instruction set first: CMakeLists.txt says why.
      "target_name": "crossmap-cpu",
      "dependencies": ["kernels-baseline"],
      "sources": ["<@(host_sources)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # The last: CMakeLists.txt says why.
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "conditions": [
        ["target_arch=='x64'", {"dependencies": ["kernels-avx2", "kernels-avx512"]}]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "kernels-avx2",
          "type": "static_library",
          "sources": ["<@(kernel_sources)"],
          "defines": ["CROSSMAP_ISA=avx2"],
          "cflags": ["-mavx2", "-mfma", "-mf16c"],
          "xcode_settings": {"OTHER_CFLAGS": ["-mavx2", "-mfma", "-mf16c"]}
        },
        {
          "target_name": "kernels-avx512",
          "type": "static_library",
          "sources": ["<@(kernel_sources)"],
          "defines": ["CROSSMAP_ISA=avx512"],
          "cflags": [
            "-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl",
            "-mprefer-vector-width=512"
          ],
          "xcode_settings": {
            "OTHER_CFLAGS": ["-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"]
          }
        }
      ]
    }]
  ]
}
