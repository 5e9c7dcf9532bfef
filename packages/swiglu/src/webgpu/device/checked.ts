// Objects that are made on a device, and whether the device could make them.

/** An object, and a promise that fails if the device could not make it. A call waits for the promise before it returns. */
export interface Checked<T> {
  readonly made: T;
  readonly checked: Promise<void>;
}

/** A device on which objects are made with a check. */
export interface CheckedDevice {
  readonly device: GPUDevice;
  check<T>(make: (device: GPUDevice) => T): Checked<T>;
}
