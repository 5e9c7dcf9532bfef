// What each family of models computes, where a file does not say it: which key of the config names the activation, what holds
// where the key is missing, and what the family's code does whatever the config says. Data, with its source and date.

/** Where the rules were read, and when. */
export const familySource = "transformers 5.18.0 and the families' own code, read on 28 November 2026";

/**
 * One line a rule: which blocks (any, gated, ungated, routed, encoder, or a part's name), the config's key ("=": none, the code
 * has it fixed), the name there or by default, and the families by their model_type. The first line that fits holds.
 */
const table = `
routed = silu: aria_text
any hidden_act silu: aria_text hy_v4
ungated = silu: axk2
any hidden_act silu: axk2
gated = silu: dinov2 dinov2_with_registers eomt radio rf_detr_dinov2 tipsv2_vision_model videomt
any hidden_act gelu: dinov2 dinov2_with_registers eomt radio rf_detr_dinov2 tipsv2_vision_model videomt
ungated = gelu: evolla zaya
any hidden_act silu: evolla zaya
gated feed_forward_proj gated-gelu: t5 mt5 umt5 longt5 udop
any feed_forward_proj relu: t5 mt5 umt5 longt5 udop
encoder encoder_hidden_act gelu: moonshine moonshine_streaming
any decoder_hidden_act silu: moonshine moonshine_streaming
proj_in = relu: sam_vision_model sam_hq_vision_model
any hidden_act gelu: sam_vision_model sam_hq_vision_model
any hidden_act silu: afmoe aimv2_text_model axk1 bamba chameleon cohere cohere2 cohere2_moe cohere_compass_text csm csm_depth_decoder_model cwm deepseek_ocr2_encoder deepseek_ocr2_text deepseek_v2 deepseek_v3 deepseek_v32 deepseek_v4 dia_decoder dia_encoder diffllama doge dots1 emu3_text_model ernie4_5 ernie4_5_moe ernie4_5_vl_moe_text esmc eurobert exaone4 exaone4_5_vision exaone_moe falcon_h1 flex_olmo gemma4_audio glm glm4 glm4_moe glm4_moe_lite glm4v_moe_text glm4v_text glm5_next_vision glm_image_text glm_moe_dsa glm_ocr_text glm_ocr_vision granite granite4_vision_text granite_speech5_encoder granite_swa granitemoe granitemoe_swa granitemoehybrid granitemoeshared helium higgs_audio_v2 hrm_text hunyuan_v1_dense hunyuan_v1_moe hunyuan_vl_text hy_v3 hyperclovax inkling_text jamba kimi_linear kyutai_speech_to_text laguna lasr_encoder llama llama4_text longcat_flash mellum mimo_v2_flash minicpm3 minimax minimax_m2 ministral ministral3 mistral mistral4 mixtral mllama_text_model mobilevit moshi moshi_depth muse_glimmer_assistant nemotron_asr_streaming_encoder neucodec nomic_bert olmo olmo2 olmo3 olmo_hybrid olmoe paddleocr_vl_text parakeet_encoder pe_audio_encoder pe_audio_video_encoder pe_video_encoder phi3 phi4_multimodal phimoe pp_ocrv5_mobile_rec pp_ocrv5_server_rec pp_ocrv6_small_rec qwen2 qwen2_5_omni_text qwen2_5_vl_text qwen2_moe qwen3 qwen3_5_moe_text qwen3_5_text qwen3_moe qwen3_next qwen3_omni_moe_talker_text qwen3_omni_moe_text qwen3_vl_moe_text qwen3_vl_text qwen4_exp_text sapiens2 seed_oss smollm3 solar_open stablelm step3p5 voxtral_realtime_encoder voxtral_realtime_text xcodec2 youtu qwen2_5_vl_vision step3p7 hunyuan internlm2 kimi_k2 bailing_moe bailing_moe_v2 bailing_moe_v3 baichuan arctic nemotron-nas deci maple
any hidden_act gelu: align_text_model altclip_text_model audio-spectrogram-transformer beit bert bert-generation blip_2_qformer blip_text_model bridgetower bridgetower_text_model bros camembert canine chinese_clip_text_model clap_audio_model clap_text_model clvp_encoder convbert data2vec-audio data2vec-text data2vec-vision deberta deberta-v2 deit dinat dinov3_vit donut-swin dpt electra eomt_dinov3 ernie flava_text_model focalnet git glm_image_vision glmasr_encoder glpn gpt_neox gpt_neox_japanese gte hiera hubert hunyuan_vl_vision ijepa instructblip_qformer instructblipvideo_qformer internvl_vision janus_vision_model janus_vqgan jina_embeddings_v3 layoutlm layoutlmv2 layoutlmv3 lightglue lilt llama4_vision_model longformer luke lw_detr_vit lxmert markuplm maskformer-swin megatron-bert mimi minimax_m3_vl_vision mlcd_vision_model mllama_vision_model mpnet mra nemotron3_diarization_audio perceiver pixio pixtral pvt qianfan_ocr_vision rembert roberta roberta-prelayernorm roc_bert roformer sam3_lite_text_text_model segformer seggpt sew speecht5 splinter swin swin2sr swinv2 tapas timesformer tvp unispeech unispeech-sat vibevoice_acoustic_tokenizer videomae vilt visual_bert vit vit_mae vit_msn vitdet vitpose_backbone vjepa2 wav2vec2 wav2vec2-conformer wavlm xlm-roberta xlm-roberta-xl xmod yolos yoso zamba zamba2 jina-bert-v2
any hidden_act gelu_pytorch_tanh: cohere_compass_vision gemma idefics2_vision idefics3_vision kimi_k25_vision minicpmv4_6_vision minicpmv4_7_vision paddleocr_vl_vision phi4_multimodal_vision qwen3_5_moe_vision qwen3_5_vision qwen3_omni_moe_vision_encoder qwen3_vl_moe_vision qwen3_vl_vision qwen4_exp_vision siglip2_text_model siglip_text_model smolvlm_vision starcoder2 video_llama_3_vision siglip_vision_model siglip2_vision_model
any = silu: aria deimv2 esmfold2 gemma3n gemma3n_audio glm5_next glm5_next_text granite_speech granite_speech_encoder granite_speech_plus granite_speech_plus_encoder lfm2 lfm2_moe rf_detr tipsv2 qwen hf_olmo openelm plamo2 chatglm
any hidden_act quick_gelu: chinese_clip_vision_model clip_text_model clipseg_text_model git_vision_model groupvit_text_model kosmos_2_vision_model metaclip_2_text_model owlv2_text_model owlvit_text_model step3p5_vision xclip_text_model qwen2_vl_vision clip_vision_model metaclip_2_vision_model
any hidden_activation gelu_pytorch_tanh: diffusion_gemma_text gemma2 gemma3_text gemma3n_text gemma4_text gemma4_unified_text gemma4_vision recurrent_gemma t5_gemma_module t5gemma2_decoder t5gemma2_text vaultgemma
any = gelu: bark cpmant cvt edgetam_video ernie4_5_vl_moe ernie4_5_vl_moe_vision esm mgp-str mpt patchtsmixer
any hidden_act relu: canary_decoder cohere_asr fun_asr_nano_encoder mobilebert nemotron_asr_streaming reformer tipsv2_text_model videoprism_text_model vits
any hidden_act relu2: arcee bitnet cosmos3_edge_text jais2 nanochat nemotron neomme persimmon
any activation_function relu: conditional_detr decision_transformer deformable_detr detr nllb-moe seamless_m4t seamless_m4t_v2 opt
any = relu: sam sam3 sam3_lite_text sam_hq superglue timesfm zoedepth
any hidden_act gelu_new: big_bird fnet funnel nystromformer phi albert
any activation_function gelu: florence_vision kosmos_2_5_text_model kosmos_2_text_model prophetnet whisper bart
any activation_function gelu_new: clvp_decoder codegen gpt2 gpt_neo gptj
any dense_act_fn gelu_new: kosmos_2_5_vision_model pix2struct_text_model pix2struct_vision_model
any = gelu_new: bloom grok-1
any activation gelu: distilbert falcon
any gelu_activation gelu: flaubert xlm
any activation_function silu: jetmoe exaone
any hidden_activation gelu: modernbert modernbert-decoder
any activation swish: phi4_multimodal_audio timesfm2_5
any dense_act_fn relu: pop2piano switch_transformers
any hidden_act xielu: apertus
any activation_function prelu: dab-detr
any ffn_config.ffn_act_fn.name silu: dbrx
any activation_function gelu_pytorch_tanh: gpt_bigcode
any activation_function quick_gelu: imagegpt
any hidden_activation silu: muse_glimmer_text
any mlp_hidden_act relu2: nemotron_h
any = quick_gelu: oneformer
any afn gelu: openai-gpt
any = relu2: rwkv
any hidden_act gelu_python: sew-d
any hidden_act gelu_fast: vivit`;

export interface ActivationRule {
  readonly where: string;
  /** The config's key, with dots into nested objects; undefined where the code has the name fixed. */
  readonly key: string | undefined;
  readonly name: string;
}

let rules: Map<string, ActivationRule[]> | undefined;

/** The rules of a family, in order; none for a family that is not known. */
export function activationRules(family: string): readonly ActivationRule[] {
  if (rules === undefined) {
    rules = new Map();
    for (const line of table.trim().split("\n")) {
      const [head = "", families = ""] = line.split(": ");
      const [where = "", key, name = ""] = head.split(" ");
      for (const member of families.split(" ")) {
        const rule = { where, key: key === "=" ? undefined : key, name };
        rules.set(member, [...(rules.get(member) ?? []), rule]);
      }
    }
  }
  return rules.get(family) ?? [];
}
