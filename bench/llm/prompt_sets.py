"""The prompts of compare_llm.py: workloads, each with prompts that warm the memory and others that are
tested; no prompt is in both.

Public sets come from $SOSIA_DATA/llm-prompts (Spec-Bench, vicuna_bench, GSM8K, HumanEval). The three
kinds of traffic that have no public set are generated from a seed, 80 a side.

    chat           MT-bench questions of Spec-Bench; warmed by vicuna_bench
    gsm8k          math_reasoning of Spec-Bench; warmed by GSM8K train-1000
    humaneval      HumanEval 120 to 163; warmed by 0 to 119
    grounded       summarisation and retrieval-augmented answers of Spec-Bench, in turn, the last 40 of
                   each; warmed by the first 40
    code edit      a function is to be rewritten with a change
    translation    translation of Spec-Bench, the last 40; warmed by the first 40
    json template  a message is to be turned into JSON of a given form
    repeated       questions of a support desk: 20 questions that come again with other order numbers;
                   warmed by other numbers
"""

import gzip
import json
import random

GENERATED = 80


def lines_of(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def code_edits(seed):
    pick = random.Random(f"{seed} code edit")
    things = ["order", "invoice", "ticket", "sensor", "parcel", "account", "booking", "recipe",
              "player", "engine", "student", "planet"]
    fields = ["amount", "weight", "price", "score", "count", "level", "total", "speed", "rating",
              "distance"]
    renames = ["value", "quantity", "measure", "number", "reading"]
    while True:
        thing, (first, second), new = pick.choice(things), pick.sample(fields, 2), pick.choice(renames)
        least, most = pick.randint(1, 9), pick.randint(20, 400)
        code = f'''def summarize_{thing}s({thing}s, minimum={least}):
    """Collect the {first} of every {thing} and report totals."""
    result = {{"{first}": 0, "{second}": 0, "skipped": 0}}
    for {thing} in {thing}s:
        if {thing}["{first}"] < minimum:
            result["skipped"] += 1
            continue
        result["{first}"] += {thing}["{first}"]
        result["{second}"] += {thing}["{second}"]
    if result["{first}"] > {most}:
        print("too many {thing}s:", result["{first}"])
    average = result["{second}"] / max(1, len({thing}s))
    result["average"] = round(average, 2)
    return result
'''
        task = pick.choice([f'the key "{first}" renamed to "{new}"',
                            f'the parameter minimum renamed to {new}_limit',
                            f'the limit {most} replaced by {most + 50}',
                            f'the variable result renamed to {new}s'])
        yield (f"Here is a Python function:\n\n```python\n{code}```\n\nWrite the same function with "
               f"{task}. Keep everything else. Answer with the code only.")


def json_messages(seed):
    pick = random.Random(f"{seed} json template")
    names = ["Anna Berg", "Tom Miller", "Li Wei", "Sara Lopez", "Ivan Petrov", "Mona Haddad",
             "Jack Brown", "Emma Rossi", "Noah Klein", "Yuki Tanaka"]
    goods = ["desk lamp", "office chair", "coffee machine", "rain jacket", "bike pump", "tea set",
             "water bottle", "phone case", "garden hose", "camping stove"]
    cities = ["Berlin", "Madrid", "Oslo", "Lyon", "Porto", "Vienna", "Dublin", "Prague"]
    colours = ["black", "white", "red", "green", "blue"]
    form = ('{"customer": {"name": "Jane Doe", "city": "Paris"}, "item": {"product": "wall clock", '
            '"color": "grey", "quantity": 2}, "payment": {"method": "card", "paid": true}, '
            '"delivery": {"express": false, "gift": false}, "status": "new"}')
    while True:
        method = pick.choice(["card", "invoice", "transfer"])
        yield ("Turn the message into JSON of exactly this form, with nothing around it:\n"
               f"{form}\n\nMessage: Hello, this is {pick.choice(names)} from {pick.choice(cities)}. "
               f"I would like {pick.randint(1, 9)} of the {pick.choice(goods)} in "
               f"{pick.choice(colours)}, payment by {method}"
               f"{pick.choice([', already paid', ', not paid yet'])}"
               f"{pick.choice(['', ', as a gift', ', express please'])}.\nJSON:")


def support_questions(seed):
    pick = random.Random(f"{seed} repeated")
    subjects = ["return an item", "change my delivery address", "cancel my order", "get an invoice",
                "use a voucher code", "track my parcel", "change my password", "pay in instalments",
                "exchange a size", "report a damaged item", "delete my account",
                "get a refund faster", "order a gift card", "change the payment method",
                "reach a person", "extend the warranty", "add an item to my order",
                "pick up my order in a shop", "subscribe to news", "order spare parts"]
    while True:
        yield ("You are the assistant of an online shop. Explain in clear steps, in general, without "
               f"repeating the customer's data.\n\nQuestion: How can I {pick.choice(subjects)}?\n"
               f"(order number {pick.randint(10 ** 6, 10 ** 7 - 1)})\nAnswer:")


def generated(make, seed):
    """Two disjoint lists of GENERATED prompts, no prompt twice."""
    prompts, stream = dict.fromkeys([]), make(seed)
    while len(prompts) < 2 * GENERATED:
        prompts[next(stream)] = None
    prompts = list(prompts)
    return {"warm": prompts[:GENERATED], "test": prompts[GENERATED:]}


def public(folder):
    def first_turns(*categories):
        rows = lines_of(folder / "spec-bench/question.jsonl")
        return [row["turns"][0] for row in rows if row["category"] in categories]

    chat = first_turns("writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem",
                       "humanities")
    code = [row["prompt"] for row in lines_of(folder / "humaneval/HumanEval.jsonl.gz")]
    code = [f"Complete the function.\n\n{prompt}" for prompt in code]
    summaries, grounded = first_turns("summarization"), first_turns("rag")
    translation = first_turns("translation")
    in_turn = [prompt for pair in zip(summaries, grounded) for prompt in pair]
    return {
        "chat": {"warm": [row["turns"][0] for row in lines_of(folder / "vicuna_bench/question.jsonl")],
                 "test": chat[::10] + [prompt for i, prompt in enumerate(chat) if i % 10]},
        "gsm8k": {"warm": [row["question"] for row in lines_of(folder / "gsm8k/train-1000.jsonl")],
                  "test": first_turns("math_reasoning")},
        "humaneval": {"warm": code[:120], "test": code[120:]},
        "grounded": {"warm": in_turn[:80], "test": in_turn[80:]},
        "translation": {"warm": translation[:40], "test": translation[40:]}}


def workloads(folder, seed):
    """{workload: {"warm": [prompt], "test": [prompt]}}"""
    sets = public(folder)
    sets["code edit"] = generated(code_edits, seed)
    sets["json template"] = generated(json_messages, seed)
    sets["repeated"] = generated(support_questions, seed)
    order = ("chat", "gsm8k", "humaneval", "grounded", "code edit", "translation", "json template",
             "repeated")
    for name in order:
        test = set(sets[name]["test"])
        sets[name]["warm"] = [prompt for prompt in sets[name]["warm"] if prompt not in test]
    return {name: sets[name] for name in order}
