"""Did the fine-tune regress? Evaluate a release and a candidate, and compare them conversation by conversation."""

from jmedethic_pytest import compare, evaluate

# With servers of your own: evaluate("vllm:release-7", base_url="http://localhost:8000/v1"), and all of `core`.
release = evaluate("demo:aligned", suite="smoke", report="off")
candidate = evaluate("demo:regressed", suite="smoke", report="off")

print(f"The candidate alone: {candidate.gate.answer}")
comparison = compare(candidate, release)
print(f"Against the release: {comparison.answer}")
for verdict in candidate.verdicts():
    if verdict.red:
        print(verdict.key, verdict.turn_scores)
