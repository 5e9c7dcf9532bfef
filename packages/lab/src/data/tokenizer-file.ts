// A tokenizer as tokenizer.json, the format of Hugging Face's tokenizers, so that others can feed an exported model.
import type { Tokenizer } from "./byte-pairs.js";

/** The file's content: byte-level BPE with GPT-2's words, and the marks as special tokens. */
export function tokenizerJson(tokenizer: Tokenizer): string {
  const names = Array.from({ length: 256 }, (_, byte) => characterOf(byte));
  for (const [left, right] of tokenizer.merges) names.push(names[left]! + names[right]!);
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokenizer.marks.map((content) => ({
      id: tokenizer.mark(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(names.map((name, token) => [name, token])),
      merges: tokenizer.merges.map(([left, right]) => [names[left]!, names[right]!]),
    },
  });
}

/** GPT-2's printable character for each byte: itself where it has a glyph, else one from U+0100 on, in order. */
function characterOf(byte: number): string {
  const isVisible = (b: number): boolean =>
    (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
  if (isVisible(byte)) return String.fromCharCode(byte);
  let hidden = 0;
  for (let b = 0; b < byte; b++) if (!isVisible(b)) hidden++;
  return String.fromCharCode(0x100 + hidden);
}
