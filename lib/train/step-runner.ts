/** Steps, replayed as CUDA graphs where the device records ops: one call instead of thousands. */
import type {Config} from '../config/index.js';
import type {PreparedStep} from '../objectives/index.js';
import {canCapture, type Device} from '../tensor/index.js';
import {computeStep, type ComputedStep, type StepParts} from './computed-step.js';
import {isOutOfMemory} from './out-of-memory.js';
import {createRecordedSteps} from './recorded-steps.js';

/** Computes the steps of a run, one after the other. */
interface StepRunner {
  /** @throws what the ops throw; nothing of the step is left then */
  run(prepared: PreparedStep): ComputedStep;
  /** What the user should know of the steps so far, told once. */
  takeWarning(): string | undefined;
  /** Frees the recordings, and with them what the latest step has computed. */
  dispose(): void;
}

/**
 * A runner that records as `training.graphs` says. Where the device has not the memory for it, all that was recorded is freed, and this
 * step and those after it run op by op.
 */
export function createStepRunner(
  parts: StepParts,
  {device, graphs}: {readonly device: Device; readonly graphs: Config['training']['graphs']},
): StepRunner {
  const recorded = createRecordedSteps(parts, device);
  let isRecording = graphs === 'auto' && canCapture(device);
  let warning: string | undefined;
  return {
    run(prepared) {
      if (!isRecording) return computeStep(parts, prepared);
      try {
        return recorded.replay(prepared) ?? computeStep(parts, prepared);
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        recorded.dispose();
        isRecording = false;
        const computed = computeStep(parts, prepared);
        warning = `steps run op by op from here on: there is no memory to record them as CUDA graphs (${error.message})`;
        return computed;
      }
    },
    takeWarning() {
      const told = warning;
      warning = undefined;
      return told;
    },
    dispose: recorded.dispose,
  };
}
