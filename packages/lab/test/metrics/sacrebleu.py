"""Writes sacrebleu.json: figures of sacreBLEU for sentences in many scripts. Run: python3 sacrebleu.py > sacrebleu.json"""
import sacrebleu, json
hyps=["Der Typ '{0}' kann nicht zugewiesen werden.","No se puede usar un literal 'bigint' como nombre de propiedad, 1.5 o 2,000-3 &amp; <b>.","'bigint' リテラルをプロパティ名として使用することはできません。","","ein Test","x-1 y - z's 3.14, 10-20 (foo/bar) [baz] {qux}; a|b~c","“bigint”文本不能用作属性名称。 Naïve 👍 café"]
refs=["Der Typ \"{0}\" kann dem Typ \"{1}\" nicht zugewiesen werden.","No se puede usar un literal 'bigint' como nombre de la propiedad 1.5, o 2,000-4 & <b>.","'bigint' リテラルをプロパティの名前として使用できません。","leer","ein Test","x-1 y -z's 3.14 , 10-20 (foo/bar) baz {qux}; a|b ~c","“bigint”文本不能作属性名称。 Naive 👍 café!"]
out={"version":sacrebleu.__version__,"outputs":hyps,"references":refs}
out["chrf"]=sacrebleu.corpus_chrf(hyps,[refs]).score
out["chrf3"]=sacrebleu.corpus_chrf(hyps,[refs],beta=3).score
out["bleu"]=sacrebleu.corpus_bleu(hyps,[refs]).score
out["sentenceBleu"]=[sacrebleu.sentence_bleu(h,[r]).score for h,r in zip(hyps,refs)]
out["sentenceChrf"]=[sacrebleu.sentence_chrf(h,[r]).score for h,r in zip(hyps,refs)]
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
t=Tokenizer13a(); out["tokens"]=[t(h).split(" ") if t(h) else [] for h in hyps]
print(json.dumps(out,ensure_ascii=False,indent=1))
