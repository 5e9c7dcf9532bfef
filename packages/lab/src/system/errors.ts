// The error classes for what a user can put right: their messages are sentences for the terminal, without a stack. Every
// other error is a defect of the program and is shown with its stack. What the system says becomes words here.

/** An error whose message names what was wrong, what was expected and the fix. The command line prints it and exits with 1. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** A UserError that concerns every run here, not the one it was met in: work ends until it is put right. */
export class StopError extends UserError {
  override readonly name = "StopError";
}

/** What the codes of Node mean, as the end of a sentence about a file or a connection. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "it is not there"],
  ["ENOTDIR", "a part of its path is a file, not a folder"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "this user has no permission"],
  ["EPERM", "this user has no permission"],
  ["EROFS", "its file system is read-only"],
  ["EEXIST", "it is there already"],
  ["ELOOP", "its links go in a circle"],
  ["ENAMETOOLONG", "its name is too long"],
  ["EMFILE", "this process has too many files open"],
  ["ENFILE", "this machine has too many files open"],
  ["EIO", "its disk does not answer rightly"],
  ["EBUSY", "something else is using it"],
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the quota of this user is used up"],
  ["EFBIG", "it would be larger than files may be here"],
  ["ENOTEMPTY", "it is a folder that is not empty"],
  ["ENXIO", "it is no file"],
  ["ENODEV", "it is no file"],
  ["ERR_STRING_TOO_LONG", "it is longer than a text can be here, 512 MiB"],
  ["ERR_FS_FILE_TOO_LARGE", "it is larger than can be read at a time, 2 GiB"],
  ["ERR_INVALID_ARG_VALUE", "its name cannot be that of a file"],
  ["Z_DATA_ERROR", "its compressed data are not as they were written"],
  ["Z_BUF_ERROR", "it ends too early"],
  ["Z_MEM_ERROR", "there is not enough memory"],
  ["ECONNREFUSED", "nothing listens there: ECONNREFUSED"],
  ["ECONNRESET", "the connection was cut: ECONNRESET"],
  ["ETIMEDOUT", "there was no answer in time: ETIMEDOUT"],
  ["ENOTFOUND", "no machine has that name: ENOTFOUND"],
  ["EAI_AGAIN", "names of machines cannot be looked up now: EAI_AGAIN"],
  ["EHOSTUNREACH", "there is no way to that machine: EHOSTUNREACH"],
  ["ENETUNREACH", "there is no way to that network: ENETUNREACH"],
]);

/** The message of whatever was thrown, as the end of a sentence: words in place of what the system says. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = codeOf(thrown);
  const words = code === undefined ? undefined : WORDS.get(code);
  if (words !== undefined) return words;
  return code !== undefined && "syscall" in thrown ? `the system says ${code}` : thrown.message;
}

/** The code of an error of Node or the system: "ENOENT". */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string"
    ? thrown.code
    : undefined;
}
