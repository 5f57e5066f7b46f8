# What a person and CI both call. `make check test gold` is what a change must pass.
PYTHON ?= python
DATA ?= ../shared/data
TEACHER ?= runs/teacher
RUNS ?= runs
E5 ?= runs/e5-small-q4.bin
DEVICE ?= cpu
# Where models are written, and minutes of training: shorter ones show in a quarter of an hour that a chain runs.
MODELS ?= src/rag/models
DISTIL_MINUTES ?= 90
CONTRAST_MINUTES ?= 80
IMITATE_MINUTES ?= 120
READER_MINUTES ?= 200

.PHONY: check test gold history browser screenshots bench peers torture fuzz clients encoder imitation next-reader encoder-scores translations reader reader-scores decision

check:  ## lint, format, types, architecture
	ruff check .
	ruff format --check .
	mypy
	lint-imports

test:  ## every test but the gold set
	pytest --ignore tests/test_gold.py

gold:  ## the gold set, against the expected scores
	rag build seeds
	rag evaluate tests/gold/questions.jsonl

history:  ## follow-up chats about other documents, and full questions with a foreign history
	$(PYTHON) -m rag build tests/follow_ups/documents --index $(RUNS)/follow_ups
	$(PYTHON) -m rag evaluate tests/follow_ups/questions.jsonl --index $(RUNS)/follow_ups

browser:  ## the page in the system's chromium, before a real server; needs `pip install -e ".[test,browser]"`
	$(PYTHON) -m pytest --force-enable-socket tests/browser

screenshots:  ## draw the page for the README
	$(PYTHON) -m tests.browser.screenshots

bench:  ## latency of asking, cold and warm
	$(PYTHON) -m benchmarks.ask
	$(PYTHON) -m benchmarks.scale --sizes 5,1000

peers:  ## Haystack and txtai beside Verbatim on the gold questions; needs `pip install -e ".[train,peers]"`
	$(PYTHON) -m benchmarks.peers

torture:  ## kills, flipped bits, a full disk, two builders (minutes)
	$(PYTHON) -m benchmarks.torture

fuzz:  ## ten thousand questions that nobody would ask (minutes)
	$(PYTHON) -m benchmarks.fuzz --count 10000

clients:  ## errors, latency and memory of the server under 32 clients for two minutes
	$(PYTHON) -m benchmarks.clients --clients 32 --seconds 120

$(RUNS)/translated:
	$(PYTHON) -m training.translated --data $(DATA) --out $@.part && mv $@.part $@

encoder: $(RUNS)/translated  ## train the bundled encoder from the start (hours); each step resumes where it was stopped; needs Apertium with eng-spa, es-fr, spa-eng and spa-ita
	$(PYTHON) -m training.vocabulary --data $(DATA) --teacher $(TEACHER) --out $(RUNS)/start
	$(PYTHON) -m training.distil --data $(DATA) --teacher $(TEACHER) --translated $(RUNS)/translated --start $(RUNS)/start --out $(RUNS)/distilled --minutes $(DISTIL_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.contrast --data $(DATA) --teacher $(TEACHER) --translated $(RUNS)/translated --start $(RUNS)/distilled --out $(RUNS)/contrasted --minutes $(CONTRAST_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.export --trained $(RUNS)/contrasted --out $(MODELS)/encoder

imitation:  ## the body of the next encoder and reader, from the multilingual teacher's file E5 (hours); resumes; not shipped yet
	$(PYTHON) -m training.multilingual --file $(E5) --out $(RUNS)/multilingual
	$(PYTHON) -m training.adopt --data $(DATA) --teacher $(RUNS)/multilingual --vocabulary src/rag/models/encoder --out $(RUNS)/adopted
	$(PYTHON) -m training.imitate --data $(DATA) --teacher $(RUNS)/multilingual --start $(RUNS)/adopted --out $(RUNS)/imitated --minutes $(IMITATE_MINUTES) --device $(DEVICE) --resume

next-reader: $(RUNS)/translated  ## the next reader, from that body (hours); resumes; not shipped yet
	$(PYTHON) -m training.reader --data $(DATA) --translated $(RUNS)/translated --start $(RUNS)/multilingual --out $(RUNS)/answered --answered --keep-words --dropout 0 --rounding-from 1 --rate 1e-4 --minutes 40 --device $(DEVICE) --resume
	$(PYTHON) -m training.reader --data $(DATA) --translated $(RUNS)/translated --start $(RUNS)/answered --out $(RUNS)/reading --keep-words --dropout 0 --rounding-from 1 --rate 1e-4 --minutes $(READER_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.reader --data $(DATA) --translated $(RUNS)/translated --start $(RUNS)/imitated --teacher $(RUNS)/reading src/rag/models/reader --alike $(RUNS)/multilingual --out $(RUNS)/next_reader --dropout 0 --rounding-from 0.8 --rate 2e-4 --minutes $(READER_MINUTES) --device $(DEVICE) --resume

translations:  ## the table of word translations for lexical search
	$(PYTHON) -m training.translations --data $(DATA)

reader: $(RUNS)/translated  ## train the reader on the encoder's body
	$(PYTHON) -m training.reader --data $(DATA) --translated $(RUNS)/translated --start $(RUNS)/contrasted --out $(RUNS)/reader --minutes $(READER_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.export_reader --trained $(RUNS)/reader --out $(MODELS)/reader

reader-scores:  ## development figures of the reader, and of its weights without rounding as it runs
	$(PYTHON) -m training.measure_reader --data $(DATA) --reader src/rag/models/reader
	$(PYTHON) -m training.measure_reader --data $(DATA) --reader src/rag/models/reader --float32

encoder-scores: $(RUNS)/translated  ## development figures of the encoder beside its teacher and BM25
	$(PYTHON) -m training.evaluate --data $(DATA) --translated $(RUNS)/translated --models teacher=$(TEACHER) bundled=src/rag/models/encoder

decision: $(RUNS)/translated  ## fit the decision's coefficients on held-back questions, some of them in another language
	$(PYTHON) -m training.calibrate --data $(DATA) --translated $(RUNS)/translated
