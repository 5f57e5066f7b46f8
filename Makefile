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
ANSWERED_MINUTES ?= 40
EARLIER ?=

.PHONY: check test gold second news dossiers history browser screenshots bench peers torture fuzz clients encoder encoder-of-one-teacher encoder-scores translations reader second-reader reader-scores decision

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

second:  ## other questions about the five articles, which nothing was chosen by
	rag build seeds
	rag evaluate tests/second/questions.jsonl

news:  ## 640 questions about 16 folders of news, in which the decision is fitted in part
	$(PYTHON) -m training.news --data $(DATA)

dossiers:  ## questions about dossiers in four languages, in which the decision is fitted in part
	$(PYTHON) -m training.dossiers

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

encoder: $(RUNS)/translated  ## train the bundled encoder from the start (hours, or minutes on a GPU); each step resumes where it was stopped; needs Apertium with eng-spa, es-fr, spa-eng and spa-ita
	$(PYTHON) -m training.vocabulary --data $(DATA) --teacher $(TEACHER) --out $(RUNS)/start
	$(PYTHON) -m training.multilingual --file $(E5) --out $(RUNS)/multilingual
	$(PYTHON) -m training.adopt --data $(DATA) --teacher $(RUNS)/multilingual --vocabulary $(RUNS)/start --out $(RUNS)/adopted
	$(PYTHON) -m training.imitate --data $(DATA) --teacher $(RUNS)/multilingual --start $(RUNS)/adopted --out $(RUNS)/imitated --minutes $(IMITATE_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.contrast --data $(DATA) --teacher $(RUNS)/imitated --translated $(RUNS)/translated --start $(RUNS)/imitated --out $(RUNS)/contrasted --rate 8e-5 --minutes $(CONTRAST_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.export --trained $(RUNS)/contrasted --average-with $(RUNS)/imitated --share 0.85 --out $(MODELS)/encoder

encoder-of-one-teacher: $(RUNS)/translated  ## the encoder that the English teacher alone makes, to RUNS; two points better in English, behind in the others
	$(PYTHON) -m training.vocabulary --data $(DATA) --teacher $(TEACHER) --out $(RUNS)/start
	$(PYTHON) -m training.distil --data $(DATA) --teacher $(TEACHER) --translated $(RUNS)/translated --start $(RUNS)/start --out $(RUNS)/distilled --minutes $(DISTIL_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.contrast --data $(DATA) --teacher $(TEACHER) --translated $(RUNS)/translated --start $(RUNS)/distilled --out $(RUNS)/contrasted_of_one --minutes $(CONTRAST_MINUTES) --device $(DEVICE) --resume
	$(PYTHON) -m training.export --trained $(RUNS)/contrasted_of_one --out $(RUNS)/encoder_of_one

translations:  ## the table of word translations for lexical search
	$(PYTHON) -m training.translations --data $(DATA)

READ = $(PYTHON) -m training.reader --data $(DATA) --translated $(RUNS)/translated --device $(DEVICE) --resume
ALL_LAYERS = $(READ) --keep-words --early-layers 6 --minutes $(READER_MINUTES)

reader: $(RUNS)/translated  ## train the reader on the body that `make encoder` leaves: first all the multilingual teacher's layers, twice, the second of which is bundled as the second reader, then ours from these and, if there is one, from an EARLIER reader of the same wordpieces (the bundled one learnt from that of run 23); resumes
	$(READ) --start $(RUNS)/multilingual --out $(RUNS)/answered --answered --keep-words --dropout 0 --rounding-from 1 --rate 1e-4 --minutes $(ANSWERED_MINUTES)
	$(ALL_LAYERS) --start $(RUNS)/answered --out $(RUNS)/reading --dropout 0 --rounding-from 1 --rate 1e-4 --seed 11
	$(ALL_LAYERS) --start $(RUNS)/answered --out $(RUNS)/reading_dropped --dropout 0.1 --rounding-from 0.7 --rate 1e-4 --seed 12
	$(READ) --start $(RUNS)/imitated --teacher $(RUNS)/reading $(RUNS)/reading_dropped $(EARLIER) --alike $(RUNS)/multilingual --out $(RUNS)/reader --dropout 0 --rounding-from 0.8 --rate 2e-4 --minutes $(READER_MINUTES)
	$(READ) --start $(RUNS)/reader --teacher $(RUNS)/reading $(RUNS)/reading_dropped --out $(RUNS)/reader_rounded --dropout 0 --rounding-from 0.5 --rate 2e-4 --minutes $(READER_MINUTES)
	$(PYTHON) -m training.export_reader --trained $(RUNS)/reader_rounded --out $(MODELS)/reader
	$(PYTHON) -m training.export_reader --trained $(RUNS)/reading_dropped --words-in-four-bits --out $(MODELS)/second_reader

$(RUNS)/mined.jsonl:
	$(PYTHON) -m training.mine --out $@.part && mv $@.part $@

second-reader: $(RUNS)/translated $(RUNS)/mined.jsonl  ## go on from the bundled second reader with what the program has it read of the dossiers to train on; resumes
	$(READ) --start src/rag/models/second_reader --mined $(RUNS)/mined.jsonl --out $(RUNS)/second_reader --keep-words --dossiers 0.12 --mined-share 0.45 --characters 150 420 --rounding-from 0.6 --rate 8e-5 --minutes $(READER_MINUTES)
	$(PYTHON) -m training.export_reader --trained $(RUNS)/second_reader --out $(MODELS)/second_reader --words-in-four-bits

reader-scores:  ## development figures of both readers, and of their weights without rounding as they run
	for folder in reader second_reader; do \
		$(PYTHON) -m training.measure_reader --data $(DATA) --reader src/rag/models/$$folder && \
		$(PYTHON) -m training.measure_reader --data $(DATA) --reader src/rag/models/$$folder --float32 || exit 1; \
	done

encoder-scores: $(RUNS)/translated  ## development figures of the encoder beside its teacher and BM25
	$(PYTHON) -m training.evaluate --data $(DATA) --translated $(RUNS)/translated --models teacher=$(TEACHER) bundled=src/rag/models/encoder

decision: $(RUNS)/translated  ## fit the decision's coefficients on held-back questions, some of them in another language
	$(PYTHON) -m training.calibrate --data $(DATA) --translated $(RUNS)/translated
