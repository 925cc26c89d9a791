/** A program that answers a line of JSON with a line of JSON. */
import {spawn, type ChildProcess} from 'node:child_process';
import {createInterface} from 'node:readline';

/** A question to a program of a duel: the programs say what they understand. */
export type Question = Readonly<Record<string, unknown>> & {readonly ask: string};

export interface Server {
  /** Rejects with what the program says is wrong, after the limit, and once the program has ended. */
  ask(question: Question, limitSeconds: number): Promise<Readonly<Record<string, unknown>>>;
  end(): void;
}

export function startServer([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Server {
  // A group of its own, so that what it starts can be ended with it.
  const child = spawn(program, args, {env, stdio: ['pipe', 'pipe', 'pipe'], detached: true});
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-2000)));
  child.stdin.on('error', () => {}); // the program may have ended: `close` tells
  let waiting: {resolve: (line: string) => void; reject: (error: Error) => void} | undefined;
  let ended: string | undefined;
  const end = (message: string): void => {
    ended ??= message;
    waiting?.reject(new Error(ended));
    waiting = undefined;
  };
  createInterface({input: child.stdout}).on('line', (line) => {
    waiting?.resolve(line);
    waiting = undefined;
  });
  child.on('error', (error) => end(error.message));
  child.on('close', (code) => end(`it ended with ${code}: ${stderr.trimEnd().split('\n').at(-1) ?? ''}`));
  return {
    async ask(question, limitSeconds) {
      if (ended !== undefined) throw new Error(ended);
      const timer = setTimeout(() => {
        end(`no answer in ${limitSeconds} s`);
        killGroup(child);
      }, limitSeconds * 1000);
      try {
        const line = await new Promise<string>((resolve, reject) => {
          waiting = {resolve, reject};
          child.stdin.write(`${JSON.stringify(question)}\n`);
        });
        const answer = JSON.parse(line) as Readonly<Record<string, unknown>>;
        if (typeof answer['error'] === 'string') throw new Error(answer['error']);
        return answer;
      } finally {
        clearTimeout(timer);
      }
    },
    end() {
      end('it was ended');
      killGroup(child);
    },
  };
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
