/**
 * Must be imported before anything that asks for devices: the emulated GPU of this test is as large as no real one, so that kernels whose
 * blocks go over their elements in strides have as many blocks as elements need, each with little to do.
 */

/** Of the emulated GPU. */
export const multiprocessors = 2 ** 15;

process.env['CROSSMAP_SIMT'] = [process.env['CROSSMAP_SIMT'], `multiprocessors=${multiprocessors}`]
  .filter(Boolean)
  .join(',');
