// The one error class for what a user can put right: its message is a sentence for the terminal, without a stack.
// Every other error is a defect of the program and is shown with its stack.

/** An error whose message names what was wrong, what was expected and the fix. The command line prints it and exits with 1. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** A UserError that concerns every run here, not the one it was met in: work ends until it is put right. */
export class StopError extends UserError {
  override readonly name = "StopError";
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
