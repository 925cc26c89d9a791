/** Prints the name of the processor, which the folder of its figures is called after. */
import {processorName} from '../support/processor.js';

console.log(processorName());
