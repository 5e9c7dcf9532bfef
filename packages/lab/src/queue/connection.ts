// The connection to Redis: from a URL with, perhaps, a password and TLS, to a client, or to a sentence that says what is
// wrong. The password is never shown.
import { Redis } from "ioredis";
import { codeOf, messageOf, StopError, UserError } from "../system/errors.js";
import { redisName } from "./address.js";

/** Milliseconds to wait for the first answer. */
const PATIENCE = 10_000;

/**
 * Connects, and checks that Redis answers. A connection that is lost later comes back by itself.
 *
 * @param url redis://[user:password@]host[:port][/database]; rediss:// for TLS
 * @throws UserError when that is no such URL, Redis cannot be reached, or does not let us in
 */
export async function connectRedis(url: string): Promise<Redis> {
  const name = redisName(url);
  let isReady = false;
  let lastError: unknown;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PATIENCE,
    maxRetriesPerRequest: null, // as BullMQ wants it: commands wait for the connection to come back
    retryStrategy: (attempt) => (isReady ? Math.min(500 * attempt, 5_000) : null),
  });
  redis.on("error", (error) => {
    lastError = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    if (isReply(lastError)) throw lastError; // of the choice of a database, which the connection itself survives
    isReady = true;
    return redis;
  } catch (thrown) {
    if (redis.status !== "end") redis.disconnect(); // which waits two seconds for a connection that never was
    throw new UserError(sentence(name, lastError ?? thrown));
  }
}

/** A handler of errors that may pass: tells each but once in a row, until Redis answers again. */
export function tellTroubles(redis: Redis, tell: (message: string) => void): (error: Error) => void {
  let last = "";
  redis.on("ready", () => {
    if (last !== "") tell("the connection to Redis is back");
    last = "";
  });
  return (error) => {
    const message = isFull(error) ? FULL : messageOf(error) || String(error);
    if (message !== last) tell(`Redis: ${message}; trying again`);
    last = message;
  };
}

/** What Redis says where it holds as much as it may. */
const FULL = "it is full (maxmemory), and takes nothing more until there is room";

const isReply = (thrown: unknown): thrown is Error => thrown instanceof Error && thrown.name === "ReplyError";

const isFull = (thrown: unknown): boolean =>
  thrown instanceof Error && /\bOOM command not allowed/.test(thrown.message);

/** The error of something that Redis refused, as one for the user; whatever else was thrown, as it came. */
export function explainReply(redis: Redis, thrown: unknown): unknown {
  if (!isReply(thrown) && !isFull(thrown)) return thrown;
  const { host, port } = redis.options;
  if (isFull(thrown))
    return new StopError(
      `Redis at ${host}:${port} is full (maxmemory): give it more memory, or empty it, and start again; what is done is kept.`,
    );
  return new StopError(
    `Redis at ${host}:${port} refuses what was asked of it (${messageOf(thrown)}): see that it is Redis 6.2 or newer, and start again; what is done is kept.`,
  );
}

function sentence(name: string, cause: unknown): string {
  const reason = messageOf(cause) || "no answer";
  if (/NOAUTH/.test(reason)) {
    return `Redis at ${name} asks for a password: give it in the address, as redis://user:password@host:6379.`;
  }
  if (/WRONGPASS|invalid password|invalid username/i.test(reason)) {
    return `Redis at ${name} refuses the user or password in the address.`;
  }
  if (/certificate|self.signed|SSL|TLS|EPROTO/i.test(reason)) {
    return (
      `Redis at ${name} has no TLS connection for us (${reason}): check redis:// or rediss://, and give the certificate ` +
      "of your own authority in the environment variable NODE_EXTRA_CA_CERTS."
    );
  }
  if (/DB index/i.test(reason)) return `Redis at ${name} has no database of that number: choose another one.`;
  if (name.startsWith("rediss:") && codeOf(cause) === "ETIMEDOUT") {
    return `Redis at ${name} gives no answer by TLS: check that it takes TLS there, or write redis:// in place of rediss://.`;
  }
  if (name.startsWith("redis:") && /closed|ECONNRESET/i.test(reason)) {
    return `Redis at ${name} closed the connection (${reason}): check the address, and write rediss:// if it takes TLS there.`;
  }
  return `Redis at ${name} cannot be reached (${reason}): check that it runs and that the address is right.`;
}
