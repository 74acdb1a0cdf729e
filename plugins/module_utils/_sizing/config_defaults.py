# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration classes set for keys that a config.json leaves out (private, pure).

Facts of transformers 5.19.0, https://github.com/huggingface/transformers/tree/main/src/transformers/models,
written down by ``scripts/model_numbers.py defaults``. ``tied`` means that the embedding is the output
layer, too.
"""

from __future__ import annotations

# The class of the text part, and the models that it is the text part of.
_TEXTS = """
aria_text: aria
cohere2: aya_vision cohere2_vision
cohere_compass_text: cohere_compass
deepseek_ocr2_text: deepseek_ocr2
deepseek_v3: kimi_k25
diffusion_gemma_text: diffusion_gemma
ernie4_5_vl_moe_text: ernie4_5_vl_moe
exaone4: exaone4_5
gemma: paligemma
gemma3_text: gemma3
gemma3n_text: gemma3n
gemma4_text: gemma4
gemma4_unified_text: gemma4_unified
glm4v_moe_text: glm4v_moe
glm4v_text: glm46v glm4v glmga
glm5_next_text: glm5_next
glm_ocr_text: glm_ocr
hunyuan_vl_text: hunyuan_vl
hyperclovax: hyperclovax_vision_v2
inkling_text: inkling_mm_model
lfm2: lfm2_vl
llama: deepseek_vl granite4_vision idefics3 llava llava_next perception_lm smolvlm
llama4_text: llama4
minimax_m3_vl_text: minimax_m3_vl
mistral: idefics2 mistral3
mllama_text_model: mllama
muse_glimmer_text: muse_glimmer
nemotron_h: nemotron_h_omni
paddleocr_vl_text: paddleocr_vl
qwen2: internvl llava_onevision ovis2 video_llama_3
qwen2_5_omni_text: qwen2_5_omni_thinker
qwen2_5_vl_text: qwen2_5_vl
qwen2_vl_text: qwen2_vl
qwen3: lighton_ocr qianfan_ocr
qwen3_5_moe_text: qwen3_5_moe
qwen3_5_text: minicpmv4_6 minicpmv4_7 qwen3_5
qwen3_omni_moe_text: qwen3_omni_moe_thinker
qwen3_vl_moe_text: qwen3_vl_moe
qwen3_vl_text: qwen3_vl
qwen4_exp_text: qwen4_exp
step3p5: step3p7
"""
_VALUES = """
afmoe: hidden_size=2048 num_attention_heads=16 num_hidden_layers=32 head_dim=128 intermediate_size=6144 vocab_size=200192 num_experts=64
  moe_intermediate_size=1408 num_shared_experts=2 num_experts_per_tok=6 sliding_window=1024
apertus: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=14336 vocab_size=131072
arcee: hidden_size=2560 num_attention_heads=32 num_hidden_layers=32 intermediate_size=18432 vocab_size=32000
aria_text: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=4096 vocab_size=32000 moe_num_experts=8
  moe_num_shared_experts=2 moe_topk=2
bamba: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=128000 mamba_n_heads=128
  mamba_d_head=64 mamba_d_state=256 mamba_n_groups=1 mamba_expand=2
cohere: hidden_size=8192 num_attention_heads=64 num_hidden_layers=40 intermediate_size=22528 vocab_size=256000 tied=1
cohere2: hidden_size=8192 num_attention_heads=64 num_hidden_layers=40 head_dim=128 intermediate_size=22528 vocab_size=256000 sliding_window=4096 tied=1
cohere2_moe: hidden_size=8192 num_attention_heads=64 num_hidden_layers=40 head_dim=128 intermediate_size=22528 vocab_size=256000 num_experts=8
  num_experts_per_tok=2 sliding_window=4096 tied=1
cwm: hidden_size=6144 num_attention_heads=48 num_hidden_layers=64 num_key_value_heads=8 head_dim=128 intermediate_size=21504 vocab_size=128256
  sliding_window=8192
dbrx: d_model=2048 n_heads=16 n_layers=24 num_key_value_heads=1 vocab_size=32000
deepseek_v2: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=102400 n_routed_experts=64
  moe_intermediate_size=1407 n_shared_experts=2 kv_lora_rank=512 q_lora_rank=1536 qk_rope_head_dim=64 qk_nope_head_dim=128 v_head_dim=128
deepseek_v3: hidden_size=7168 num_attention_heads=128 num_hidden_layers=61 num_key_value_heads=128 intermediate_size=18432 vocab_size=129280
  n_routed_experts=256 moe_intermediate_size=2048 n_shared_experts=1 num_experts_per_tok=8 kv_lora_rank=512 q_lora_rank=1536 qk_rope_head_dim=64
  qk_nope_head_dim=128 v_head_dim=128
deepseek_v32: hidden_size=7168 num_attention_heads=128 num_hidden_layers=61 num_key_value_heads=128 intermediate_size=18432 vocab_size=129280
  n_routed_experts=256 moe_intermediate_size=2048 n_shared_experts=1 num_experts_per_tok=8 kv_lora_rank=512 q_lora_rank=1536 qk_rope_head_dim=64
  qk_nope_head_dim=128 v_head_dim=128 index_head_dim=128 index_n_heads=64
deepseek_v4: hidden_size=4096 num_attention_heads=64 num_hidden_layers=43 num_key_value_heads=1 head_dim=512 vocab_size=129280 n_routed_experts=256
  moe_intermediate_size=2048 n_shared_experts=1 num_experts_per_tok=6 q_lora_rank=1024 qk_rope_head_dim=64 sliding_window=128 index_head_dim=128
  index_n_heads=64
dots1: hidden_size=4608 num_attention_heads=32 num_hidden_layers=62 num_key_value_heads=32 intermediate_size=10944 vocab_size=152064
  moe_intermediate_size=1408 sliding_window=4096
ernie4_5: hidden_size=1024 num_attention_heads=16 num_hidden_layers=18 num_key_value_heads=2 head_dim=128 intermediate_size=3072 vocab_size=103424
ernie4_5_moe: hidden_size=2560 num_attention_heads=20 num_hidden_layers=28 num_key_value_heads=4 intermediate_size=12288 vocab_size=103424
  moe_num_experts=64 moe_intermediate_size=1536 moe_num_shared_experts=2 moe_k=6
ernie4_5_vl_moe_text: hidden_size=2560 num_attention_heads=20 num_hidden_layers=28 num_key_value_heads=4 intermediate_size=12288 vocab_size=103424
  moe_num_experts=64 moe_num_shared_experts=2 moe_k=6
exaone4: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=32 intermediate_size=16384 vocab_size=102400
  sliding_window=4096
exaone_moe: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=32 intermediate_size=16384 vocab_size=102400 num_experts=64
  moe_intermediate_size=1024 num_shared_experts=1 num_experts_per_tok=8 sliding_window=4096
falcon: hidden_size=4544 num_attention_heads=71 num_hidden_layers=32 vocab_size=65024 tied=1
falcon_h1: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=128000
  mamba_n_heads=128 mamba_d_head=8 mamba_d_state=256 mamba_n_groups=1 mamba_expand=2 mamba_d_ssm=1024
falcon_mamba: hidden_size=768 num_hidden_layers=32 intermediate_size=1536 vocab_size=50280 state_size=16 expand=2
flex_olmo: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=100352 num_experts=7 num_experts_per_tok=5
gemma: hidden_size=3072 num_attention_heads=16 num_hidden_layers=28 num_key_value_heads=16 head_dim=256 intermediate_size=24576 vocab_size=256000 tied=1
gemma2: hidden_size=2304 num_attention_heads=8 num_hidden_layers=26 num_key_value_heads=4 head_dim=256 intermediate_size=9216 vocab_size=256000
  sliding_window=4096 tied=1
gemma3_text: hidden_size=2304 num_attention_heads=8 num_hidden_layers=26 num_key_value_heads=4 head_dim=256 intermediate_size=9216 vocab_size=262208
  sliding_window=4096 tied=1
gemma3n_text: hidden_size=2048 num_attention_heads=8 num_hidden_layers=35 num_key_value_heads=2 head_dim=256 vocab_size=262400 sliding_window=512
  hidden_size_per_layer_input=256 vocab_size_per_layer_input=262144 tied=1
gemma4_text: hidden_size=2304 num_attention_heads=8 num_hidden_layers=30 num_key_value_heads=4 head_dim=256 intermediate_size=9216 vocab_size=262144
  sliding_window=512 hidden_size_per_layer_input=256 vocab_size_per_layer_input=262144 tied=1
gemma4_unified_text: hidden_size=2304 num_attention_heads=8 num_hidden_layers=30 num_key_value_heads=4 head_dim=256 intermediate_size=9216
  vocab_size=262144 sliding_window=1024 tied=1
glm: hidden_size=4096 num_attention_heads=32 num_hidden_layers=40 num_key_value_heads=2 head_dim=128 intermediate_size=13696 vocab_size=151552
glm4: hidden_size=4096 num_attention_heads=32 num_hidden_layers=40 num_key_value_heads=2 head_dim=128 intermediate_size=13696 vocab_size=151552
glm4_moe: hidden_size=4096 num_attention_heads=96 num_hidden_layers=46 num_key_value_heads=8 intermediate_size=10944 vocab_size=151552
  n_routed_experts=128 moe_intermediate_size=1408 n_shared_experts=1 num_experts_per_tok=8
glm4_moe_lite: hidden_size=2048 num_attention_heads=20 num_hidden_layers=47 num_key_value_heads=20 intermediate_size=10240 vocab_size=154880
  n_routed_experts=64 moe_intermediate_size=1536 n_shared_experts=1 num_experts_per_tok=4 kv_lora_rank=512 q_lora_rank=768 qk_rope_head_dim=64
  qk_nope_head_dim=192 v_head_dim=256
glm4v_moe_text: hidden_size=4096 num_attention_heads=96 num_hidden_layers=46 num_key_value_heads=8 intermediate_size=10944 vocab_size=151424
  n_routed_experts=128 moe_intermediate_size=1408 n_shared_experts=1 num_experts_per_tok=8
glm4v_text: hidden_size=4096 num_attention_heads=32 num_hidden_layers=40 num_key_value_heads=2 intermediate_size=13696 vocab_size=151552
glm5_next_text: hidden_size=4096 num_attention_heads=64 num_hidden_layers=45 num_key_value_heads=64 intermediate_size=12288 vocab_size=154880
  n_routed_experts=288 moe_intermediate_size=2048 n_shared_experts=1 num_experts_per_tok=8 kv_lora_rank=512 q_lora_rank=1536 qk_nope_head_dim=256
  v_head_dim=256 index_head_dim=128 index_n_heads=32
glm_moe_dsa: hidden_size=6144 num_attention_heads=64 num_hidden_layers=78 num_key_value_heads=64 intermediate_size=12288 vocab_size=154880
  n_routed_experts=256 moe_intermediate_size=2048 n_shared_experts=1 num_experts_per_tok=8 kv_lora_rank=512 q_lora_rank=2048 qk_rope_head_dim=64
  qk_nope_head_dim=192 v_head_dim=256 index_head_dim=128 index_n_heads=32
glm_ocr_text: hidden_size=1024 num_attention_heads=16 num_hidden_layers=16 num_key_value_heads=8 intermediate_size=4096 vocab_size=59392
gpt2: n_embd=768 n_head=12 n_layer=12 vocab_size=50257 tied=1
gpt_bigcode: n_embd=768 n_head=12 n_layer=12 vocab_size=50257 tied=1
gpt_neox: hidden_size=6144 num_attention_heads=64 num_hidden_layers=44 intermediate_size=24576 vocab_size=50432
gpt_oss: hidden_size=2880 num_attention_heads=64 num_hidden_layers=36 num_key_value_heads=8 head_dim=64 intermediate_size=2880 vocab_size=201088
  num_local_experts=128 num_experts_per_tok=4 sliding_window=128
gptj: n_embd=4096 n_head=16 n_layer=28 vocab_size=50400
granite: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=32000
granite_swa: hidden_size=2560 num_attention_heads=20 num_hidden_layers=24 num_key_value_heads=4 intermediate_size=8192 vocab_size=100352
  sliding_window=128
granitemoe: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=32000 num_local_experts=8
  num_experts_per_tok=2
granitemoe_swa: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=32000 num_local_experts=8
  num_experts_per_tok=2 sliding_window=128
granitemoehybrid: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=32000 num_local_experts=8
  shared_intermediate_size=1024 num_experts_per_tok=2 mamba_n_heads=128 mamba_d_head=64 mamba_d_state=256 mamba_n_groups=1 mamba_expand=2
granitemoeshared: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=32000 num_local_experts=8
  num_experts_per_tok=2
helium: hidden_size=2560 num_attention_heads=20 num_hidden_layers=24 num_key_value_heads=20 head_dim=128 intermediate_size=7040 vocab_size=48000
hunyuan_v1_dense: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=290943
hunyuan_v1_moe: num_shared_expert=1 hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=290943 num_experts=1
  moe_topk=1
hunyuan_vl_text: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=290943
hy_v3: hidden_size=4096 num_attention_heads=64 num_hidden_layers=80 num_key_value_heads=8 head_dim=128 intermediate_size=13312 vocab_size=120832
  num_experts=192 moe_intermediate_size=1536 num_shared_experts=1 num_experts_per_tok=8
hy_v4: hidden_size=2816 num_attention_heads=32 num_hidden_layers=34 num_key_value_heads=32 intermediate_size=6912 vocab_size=120832 n_routed_experts=256
  moe_intermediate_size=768 n_shared_experts=1 num_experts_per_tok=8 kv_lora_rank=512 q_lora_rank=1536 qk_rope_head_dim=64 qk_nope_head_dim=192
  v_head_dim=256 index_head_dim=128 index_n_heads=16
jamba: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=65536 num_experts=16
  num_experts_per_tok=2 mamba_d_state=16 mamba_expand=2 attn_layer_period=8
jetmoe: hidden_size=2048 num_attention_heads=32 num_hidden_layers=12 num_key_value_heads=16 intermediate_size=5632 vocab_size=32000 num_local_experts=8
  num_experts_per_tok=2
kimi_linear: hidden_size=2304 num_attention_heads=32 num_hidden_layers=27 num_key_value_heads=32 intermediate_size=9216 vocab_size=163840
  num_experts=256 moe_intermediate_size=1024 num_shared_experts=1 kv_lora_rank=512 qk_rope_head_dim=64 qk_nope_head_dim=128 v_head_dim=128
lfm2: hidden_size=2560 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=12288 vocab_size=65536 conv_L_cache=3
lfm2_moe: hidden_size=2048 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=7168 vocab_size=65536 num_experts=32
  moe_intermediate_size=1792 num_experts_per_tok=4 conv_L_cache=3
llama: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=32000
llama4_text: hidden_size=5120 num_attention_heads=40 num_hidden_layers=48 num_key_value_heads=8 head_dim=128 intermediate_size_mlp=16384
  intermediate_size=8192 vocab_size=202048 num_local_experts=16 num_experts_per_tok=1 attention_chunk_size=8192
longcat_flash: hidden_size=6144 num_attention_heads=64 num_layers=28 ffn_hidden_size=12288 vocab_size=131072 n_routed_experts=512
  expert_ffn_hidden_size=2048 moe_topk=12 kv_lora_rank=512 q_lora_rank=1536 qk_rope_head_dim=64 qk_nope_head_dim=128 v_head_dim=128
mamba: hidden_size=768 num_hidden_layers=32 intermediate_size=1536 vocab_size=50280 state_size=16 expand=2
mamba2: hidden_size=4096 num_hidden_layers=64 head_dim=64 vocab_size=32768 state_size=128 n_groups=8 expand=2 num_heads=128
mellum: hidden_size=2304 num_attention_heads=32 num_hidden_layers=28 num_key_value_heads=4 head_dim=128 intermediate_size=7168 vocab_size=98304
  num_local_experts=64 moe_intermediate_size=896 num_experts_per_tok=8 sliding_window=1024
mimo_v2_flash: hidden_size=4096 num_attention_heads=64 num_hidden_layers=48 num_key_value_heads=4 head_dim=192 intermediate_size=16384 vocab_size=152576
  n_routed_experts=256 moe_intermediate_size=2048 num_experts_per_tok=8 v_head_dim=128 sliding_window=128
minicpm3: hidden_size=2560 num_attention_heads=40 num_hidden_layers=62 num_key_value_heads=40 intermediate_size=6400 vocab_size=73448 kv_lora_rank=256
  q_lora_rank=768 qk_rope_head_dim=32 qk_nope_head_dim=64
minimax: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=32000 num_local_experts=8
  num_experts_per_tok=2
minimax_m2: hidden_size=3072 num_attention_heads=48 num_hidden_layers=62 num_key_value_heads=8 head_dim=128 intermediate_size=1536 vocab_size=200064
  num_local_experts=256 num_experts_per_tok=8
minimax_m3_vl_text: hidden_size=6144 num_attention_heads=64 num_hidden_layers=60 num_key_value_heads=4 head_dim=128 intermediate_size=3072
  vocab_size=200064 num_local_experts=128 shared_intermediate_size=3072 num_experts_per_tok=4 index_head_dim=128 index_n_heads=4
ministral: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=32000
  sliding_window=4096
ministral3: hidden_size=4096 num_attention_heads=32 num_hidden_layers=34 num_key_value_heads=8 head_dim=128 intermediate_size=14336 vocab_size=131072
mistral: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=32000
mistral4: hidden_size=4096 num_attention_heads=32 num_hidden_layers=36 num_key_value_heads=32 intermediate_size=12288 vocab_size=131072
  n_routed_experts=128 moe_intermediate_size=2048 n_shared_experts=1 num_experts_per_tok=4 kv_lora_rank=256 q_lora_rank=1024 qk_rope_head_dim=64
  qk_nope_head_dim=64 v_head_dim=128
mixtral: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=14336 vocab_size=32000 num_local_experts=8
  num_experts_per_tok=2
mllama_text_model: hidden_size=4096 num_attention_heads=32 num_hidden_layers=40 num_key_value_heads=8 intermediate_size=14336 vocab_size=128256
mpt: d_model=2048 n_heads=16 n_layers=24 vocab_size=50368
nemotron: hidden_size=6144 num_attention_heads=48 num_hidden_layers=32 intermediate_size=24576 vocab_size=256000
nemotron_h: hidden_size=4096 num_attention_heads=32 num_key_value_heads=8 head_dim=128 intermediate_size=21504 vocab_size=131072 mamba_num_heads=128
  mamba_head_dim=64 ssm_state_size=128 n_groups=8 expand=2
olmo: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=50304
olmo2: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=50304
olmo3: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 intermediate_size=11008 vocab_size=50304 sliding_window=4096
olmo_hybrid: hidden_size=3840 num_attention_heads=30 num_hidden_layers=32 intermediate_size=11008 vocab_size=100352
olmoe: hidden_size=2048 num_attention_heads=16 num_hidden_layers=16 intermediate_size=2048 vocab_size=50304 num_experts=64 num_experts_per_tok=8
persimmon: hidden_size=4096 num_attention_heads=64 num_hidden_layers=36 intermediate_size=16384 vocab_size=262144
phi: hidden_size=2048 num_attention_heads=32 num_hidden_layers=24 intermediate_size=8192 vocab_size=51200
phi3: hidden_size=3072 num_attention_heads=32 num_hidden_layers=32 intermediate_size=8192 vocab_size=32064
phi4_multimodal: hidden_size=3072 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=8192 vocab_size=200064
phimoe: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=8 intermediate_size=6400 vocab_size=32064 num_local_experts=16
  num_experts_per_tok=2
qwen2: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=32 intermediate_size=22016 vocab_size=151936
qwen2_5_omni_text: hidden_size=3584 num_attention_heads=28 num_hidden_layers=28 num_key_value_heads=4 intermediate_size=18944 vocab_size=152064
qwen2_5_vl_text: hidden_size=8192 num_attention_heads=64 num_hidden_layers=80 num_key_value_heads=8 intermediate_size=29568 vocab_size=152064
qwen2_moe: hidden_size=2048 num_attention_heads=16 num_hidden_layers=24 num_key_value_heads=16 intermediate_size=5632 vocab_size=151936 num_experts=60
  moe_intermediate_size=1408 shared_expert_intermediate_size=5632 num_experts_per_tok=4
qwen2_vl_text: hidden_size=8192 num_attention_heads=64 num_hidden_layers=80 num_key_value_heads=8 intermediate_size=29568 vocab_size=152064
qwen3: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=32 head_dim=128 intermediate_size=22016 vocab_size=151936
qwen3_5_moe_text: hidden_size=2048 num_attention_heads=16 num_hidden_layers=40 num_key_value_heads=2 head_dim=256 vocab_size=248320 num_experts=256
  moe_intermediate_size=512 shared_expert_intermediate_size=512 num_experts_per_tok=8 linear_num_value_heads=32 linear_num_key_heads=16
  linear_key_head_dim=128 linear_value_head_dim=128
qwen3_5_text: hidden_size=4096 num_attention_heads=16 num_hidden_layers=32 num_key_value_heads=4 head_dim=256 intermediate_size=12288 vocab_size=248320
  linear_num_value_heads=32 linear_num_key_heads=16 linear_key_head_dim=128 linear_value_head_dim=128
qwen3_moe: hidden_size=2048 num_attention_heads=32 num_hidden_layers=24 num_key_value_heads=4 intermediate_size=6144 vocab_size=151936
  num_local_experts=128 moe_intermediate_size=768 num_experts_per_tok=8
qwen3_next: hidden_size=2048 num_attention_heads=16 num_hidden_layers=48 num_key_value_heads=2 head_dim=256 intermediate_size=5632 vocab_size=151936
  num_experts=512 moe_intermediate_size=512 shared_expert_intermediate_size=512 num_experts_per_tok=10 linear_num_value_heads=32 linear_num_key_heads=16
  linear_key_head_dim=128 linear_value_head_dim=128
qwen3_omni_moe_text: hidden_size=2048 num_attention_heads=28 num_hidden_layers=28 num_key_value_heads=4 intermediate_size=18944 vocab_size=3584
  num_experts=128 moe_intermediate_size=768 num_experts_per_tok=8
qwen3_vl_moe_text: hidden_size=2048 num_attention_heads=16 num_hidden_layers=24 num_key_value_heads=16 intermediate_size=5632 vocab_size=151936
  num_local_experts=60 moe_intermediate_size=1408 num_experts_per_tok=4
qwen3_vl_text: hidden_size=4096 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=32 head_dim=128 intermediate_size=22016
  vocab_size=151936
qwen4_exp_text: hidden_size=2048 num_attention_heads=16 num_hidden_layers=40 num_key_value_heads=2 head_dim=256 vocab_size=248320 num_experts=512
  moe_intermediate_size=512 shared_expert_intermediate_size=512 num_experts_per_tok=10 linear_num_value_heads=32 linear_num_key_heads=16
  linear_key_head_dim=128 linear_value_head_dim=128
recurrent_gemma: hidden_size=2560 num_attention_heads=10 num_hidden_layers=26 head_dim=256 intermediate_size=7680 vocab_size=256000
seed_oss: hidden_size=4096 num_attention_heads=80 num_hidden_layers=64 num_key_value_heads=8 head_dim=128 intermediate_size=27648 vocab_size=155136
smollm3: hidden_size=2048 num_attention_heads=16 num_hidden_layers=36 num_key_value_heads=4 intermediate_size=11008 vocab_size=128256
solar_open: hidden_size=4096 num_attention_heads=64 num_hidden_layers=48 num_key_value_heads=8 head_dim=128 vocab_size=196608 n_routed_experts=128
  moe_intermediate_size=1280 n_shared_experts=1 num_experts_per_tok=8
stablelm: hidden_size=2560 num_attention_heads=32 num_hidden_layers=32 num_key_value_heads=32 intermediate_size=6912 vocab_size=50304
starcoder2: hidden_size=3072 num_attention_heads=24 num_hidden_layers=30 num_key_value_heads=2 intermediate_size=12288 vocab_size=49152 tied=1
step3p5: hidden_size=4096 num_attention_heads=64 num_hidden_layers=45 num_key_value_heads=8 head_dim=128 intermediate_size=11264 vocab_size=128815
  n_routed_experts=288 moe_intermediate_size=1280 num_experts_per_tok=8
vaultgemma: hidden_size=2304 num_attention_heads=8 num_hidden_layers=26 num_key_value_heads=4 head_dim=256 intermediate_size=9216 vocab_size=256000
  sliding_window=4096 tied=1
youtu: hidden_size=2048 num_attention_heads=16 num_hidden_layers=32 num_key_value_heads=16 intermediate_size=6144 vocab_size=128256 kv_lora_rank=512
  q_lora_rank=1536 qk_rope_head_dim=64 qk_nope_head_dim=128 v_head_dim=128
zamba: hidden_size=3712 num_attention_heads=16 num_hidden_layers=76 num_key_value_heads=16 intermediate_size=14848 vocab_size=32000 mamba_d_state=16
  mamba_expand=2 attn_layer_period=6
zamba2: hidden_size=2560 num_attention_heads=32 num_hidden_layers=54 vocab_size=32000 mamba_d_state=64 mamba_expand=2
zaya: hidden_size=2048 num_attention_heads=8 num_hidden_layers=40 num_key_value_heads=2 head_dim=128 vocab_size=262272 num_experts=16
  moe_intermediate_size=2048 num_experts_per_tok=1
"""
# Types whose code is that of another one, or that transformers has no class for.
_ALIASES = {"kimi_k2": "deepseek_v3"}
_ALSO_KNOWN = """
baichuan bloom chatglm codegen deepseek falcon3 gpt_neo internlm2 jais kimi_k3 mimo minicpm mpt nemotron-nas opt orion phi-msft qwen
"""
_TIED = ("bloom", "codegen", "gpt_neo", "opt", "minicpm")


def _rows(text: str) -> dict[str, list[str]]:
    """Return the words by the name that a line begins with; an indented line goes on."""
    joined = text.replace("\n  ", " ").strip().splitlines()
    return {name: words.split() for name, words in (line.split(":", 1) for line in joined)}


_PARENTS = {outer: inner for inner, outers in _rows(_TEXTS).items() for outer in outers}
_TABLE = {
    name: {key: int(number) for key, number in (word.split("=") for word in words)}
    for name, words in _rows(_VALUES).items()
}


def defaults_of(model_type: str) -> tuple[str, dict[str, int]]:
    """Return the type of the text part, and what its class sets by itself."""
    name = _PARENTS.get(model_type, model_type)
    tied = {"tied": 1} if name in _TIED else {}
    return name, _TABLE.get(_ALIASES.get(name, name), tied)


def is_known(model_type: str) -> bool:
    """Tell whether the keys of a type are those that are read here."""
    return model_type in _TABLE or model_type in _ALIASES or model_type in _ALSO_KNOWN.split()


def is_composite(model_type: str) -> bool:
    """Tell whether a model is known to have more than a text part."""
    return model_type in _PARENTS
