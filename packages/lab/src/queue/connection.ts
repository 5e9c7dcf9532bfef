// The connection to Redis: from a URL with, perhaps, a password and TLS, to a client, or to a sentence that says what is
// wrong. The password is never shown.
import { Redis } from "ioredis";
import { messageOf, UserError } from "../errors.js";
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
    const message = error.message || String(error);
    if (message !== last) tell(`Redis: ${message}; trying again`);
    last = message;
  };
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
  return `Redis at ${name} cannot be reached (${reason}): check that it runs and that the address is right.`;
}
