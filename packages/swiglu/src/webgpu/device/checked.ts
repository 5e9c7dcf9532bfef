// What is made on a device, and whether the device could make it.

/** What was made, and a promise that fails if the device could not: a call waits for it before it returns. */
export interface Checked<T> {
  readonly made: T;
  readonly checked: Promise<void>;
}

/** A device whose refusals are noticed. */
export interface CheckedDevice {
  readonly device: GPUDevice;
  check<T>(make: (device: GPUDevice) => T): Checked<T>;
}
