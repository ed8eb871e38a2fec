"""Run by a Python that has vLLM: reads a call as JSON from stdin, writes vLLM's answer to a file.

That Python is another than the tests' own, because vLLM asks for an older Transformers.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1"}
os.environ |= {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}

from vllm import LLM, SamplingParams


def main() -> None:
    call = json.load(sys.stdin)
    engine = LLM(dtype="float32", enforce_eager=True, max_num_seqs=4, **call["engine"])
    settings = SamplingParams(temperature=0, max_tokens=call["new"], prompt_logprobs=1)
    prompts = [{"prompt_token_ids": one} for one in call["prompts"]]
    told = [
        {
            "new": list(output.outputs[0].token_ids),
            "prompt": [
                step[token].logprob
                for step, token in zip(output.prompt_logprobs[1:], prompt[1:], strict=True)
            ],
        }
        for prompt, output in zip(
            call["prompts"], engine.generate(prompts, settings, use_tqdm=False), strict=True
        )
    ]
    Path(sys.argv[1]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
