# SPDX-License-Identifier: Apache-2.0
# Needs GNU make, gcc 12 or clang 14, and what tests/deps.sh lists (make deps installs it).
#
#	make [WERROR=1] [CC=clang] [SAN=address,undefined] [BUILD=build]
#	make deps | check | demo | lint | install ...	(make help)
#
# Each compiler and set of flags has a build folder of its own.

comma := ,
BUILD ?= build$(if $(filter-out cc gcc,$(CC)),-$(notdir $(CC)))$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(WERROR),-werror)
PREFIX ?= /usr/local
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc 2>/dev/null || echo 1)

# Libraries by their pkg-config names, and the Debian package of each.
PACKAGES := libevent_core libcares ldns yaml-0.1 libnftnl libmnl libsystemd
debian_libevent_core := libevent-dev
debian_libcares := libc-ares-dev
debian_ldns := libldns-dev
debian_yaml-0.1 := libyaml-dev
debian_libnftnl := libnftnl-dev
debian_libmnl := libmnl-dev
debian_libsystemd := libsystemd-dev
debian_cmocka := libcmocka-dev

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef \
	-Wimplicit-fallthrough -Wnull-dereference
ifneq ($(findstring clang,$(CC)),clang)
WARNINGS += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif
ifdef WERROR
WARNINGS += -Werror
endif

CFLAGS ?= -O2 -g
HARDENING := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
ifdef SAN
HARDENING := -fPIE -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all
endif
ifdef FUZZER
HARDENING += -fsanitize=fuzzer-no-link
endif
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -pthread $(WARNINGS) $(HARDENING) $(CFLAGS) $(PKG_CFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
CMOCKA_LIBS = $(shell pkg-config --libs cmocka)

# pkg-config names of $(1) that pkg-config does not find: all of them without pkg-config.
absent = $(shell pkg-config --exists $(1) 2>/dev/null || \
	for p in $(1); do pkg-config --exists $$p 2>/dev/null || echo $$p; done)
# What ends the build of something that needs the packages $(1), in two lines.
define require
	@printf '%s\n' "egressd: not installed (Debian packages): $(strip \
		$(if $(shell command -v pkg-config),,pkg-config) $(foreach p,$(1),$(debian_$(p))))" \
		"Run: make deps" >&2; exit 1
endef

PROGRAMS := egressd egressctl
MAINS := $(PROGRAMS:%=daemon/%.c)
LAYERS := daemon resolver policy base

layer_objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(MAINS),$(wildcard $(1)/*.c $(1)/*/*.c)))
ARCHIVES := $(LAYERS:%=$(BUILD)/lib%.a)

all: $(PROGRAMS:%=$(BUILD)/%)

define archive
$(BUILD)/lib$(1).a: $(call layer_objects,$(1))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive,$(l))))

$(BUILD)/%.o: %.c | libraries
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/daemon/%.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $< $(ARCHIVES) $(PKG_LIBS) -o $@

# The daemon with one deliberate fault, which the tests must notice: it answers before the
# kernel has acknowledged the leases.
early: $(BUILD)-early/egressd

$(BUILD)-early/query.o: daemon/query/query.c | libraries
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DEGRESSD_ANSWER_BEFORE_COMMIT -MMD -MP -c $< -o $@

# query.o stands first, so the archive's own is not taken
$(BUILD)-early/egressd: $(BUILD)/daemon/egressd.o $(BUILD)-early/query.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

# The daemon as it will be with a layout of the table that has one version more.
next: $(BUILD)-next/egressd

NEXT_OBJECTS := $(patsubst %.c,$(BUILD)-next/%.o,$(shell grep -rl --include='*.c' LAYOUT_VERSION daemon))

$(NEXT_OBJECTS): $(BUILD)-next/%.o: %.c | libraries
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DEGRESSD_NEXT_LAYOUT -MMD -MP -c $< -o $@

$(BUILD)-next/egressd: $(BUILD)/daemon/egressd.o $(NEXT_OBJECTS) $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

LIBRARIES_ABSENT := $(call absent,$(PACKAGES))
libraries:
ifneq ($(LIBRARIES_ABSENT),)
	$(call require,$(LIBRARIES_ABSENT))
endif

CMOCKA_ABSENT = $(call absent,cmocka)
cmocka:
	$(if $(CMOCKA_ABSENT),$(call require,cmocka))

# The uplink witness of the integration tests.
WITNESS := $(BUILD)/tests/witness/witness
WITNESS_LIB := $(BUILD)/tests/witness/libwitness.a

$(WITNESS_LIB): $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/witness/witness.c,$(wildcard tests/witness/*.c)))
	@rm -f $@
	$(AR) rcs $@ $^

$(WITNESS): $(BUILD)/tests/witness/witness.o $(WITNESS_LIB) $(BUILD)/libbase.a
	$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

witness: $(WITNESS)

# Unit tests: a binary a noun. alloc.c, which makes the n-th allocation fail, is in each of
# them; what else they share is taken as needed.
UNIT_TESTS := $(patsubst tests/unit/%_test.c,$(BUILD)/tests/unit/%_test,$(wildcard tests/unit/*_test.c))
UNIT_ALLOC := $(BUILD)/tests/unit/alloc.o
UNIT_SHARED := $(filter-out $(UNIT_ALLOC),$(patsubst %.c,$(BUILD)/%.o,$(filter-out %_test.c,$(wildcard tests/unit/*.c))))
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=mmap

$(BUILD)/tests/unit/%.o: tests/unit/%.c | libraries cmocka
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/unit/libshared.a: $(UNIT_SHARED)
	@rm -f $@
	$(AR) rcs $@ $^

UNIT_LINK := $(UNIT_ALLOC) $(BUILD)/tests/unit/libshared.a $(WITNESS_LIB) $(ARCHIVES)

$(BUILD)/tests/unit/%_test: $(BUILD)/tests/unit/%_test.o $(UNIT_LINK)
	$(CC) $(ALL_LDFLAGS) $(WRAP) $< $(UNIT_LINK) $(PKG_LIBS) $(CMOCKA_LIBS) -o $@

# Fuzz targets: NOUN_fuzz.c with NOUN.corpus/. NOUN_replay runs the corpus through the
# target, NOUN_fuzz (FUZZER=1, clang) looks for more.
FUZZ_NOUNS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
REPLAYS := $(FUZZ_NOUNS:%=$(BUILD)/tests/fuzz/%_replay)
FUZZERS := $(FUZZ_NOUNS:%=$(BUILD)/tests/fuzz/%_fuzz)

$(BUILD)/tests/fuzz/%_replay: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(PKG_LIBS) -o $@

$(BUILD)/tests/fuzz/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $< $(ARCHIVES) $(PKG_LIBS) -o $@

fuzzers: $(FUZZERS)

# Broken messages through the daemon's way of a query, in one process.
MALFORMED := $(BUILD)/tests/fuzz/malformed

$(MALFORMED): $(addprefix $(BUILD)/tests/fuzz/,malformed.o mutate.o loopback.o) $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(PKG_LIBS) -o $@

# The registry's side of the differential test against tests/model/model.py.
JUDGE := $(BUILD)/tests/model/judge

$(JUDGE): $(JUDGE).o $(BUILD)/libpolicy.a $(BUILD)/libbase.a
	$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

# The registry's benchmark: a program on the archives.
BENCH_REGISTRY := $(BUILD)/tests/bench/registry

$(BENCH_REGISTRY): $(addprefix $(BUILD)/tests/bench/,registry.o judge.o sample.o) $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(PKG_LIBS) -o $@

BENCH_COMMIT := $(BUILD)/tests/bench/commit

$(BENCH_COMMIT): $(BUILD)/tests/bench/commit.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(PKG_LIBS) -o $@

bench-programs: $(BENCH_REGISTRY) $(BENCH_COMMIT)

# The checks. What is missing is installed first, then make starts anew to find it.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
RUN = $(PYTHON) tests/run.py
REPLAY_ARGS = $(foreach n,$(FUZZ_NOUNS),--replay $(BUILD)/tests/fuzz/$(n)_replay tests/fuzz/$(n).corpus)
# Broken messages in check-slow; at night 10,000,000.
MALFORMED_COUNT ?= 500000
malformed_args = --malformed $(1) tests/fuzz/wire.corpus 1 $(2)
MODEL_ARGS = --model $(JUDGE) 1 100000
PYTEST = --pytest tests/integration -q -p no:cacheprovider

# Which programs the integration tests, the demo and the bench run.
check check-slow check-kernel chaos demo bench: export EGRESSD = $(abspath $(BUILD)/egressd)
check check-slow check-kernel chaos demo bench: export EGRESSCTL = $(abspath $(BUILD)/egressctl)
check check-slow check-kernel chaos: export EGRESSD_EARLY = $(abspath $(BUILD)-early/egressd)
check check-slow check-kernel chaos: export EGRESSD_NEXT = $(abspath $(BUILD)-next/egressd)
check check-slow check-kernel chaos: export EGRESSD_WITNESS = $(abspath $(WITNESS))

unit-programs: $(UNIT_TESTS) $(REPLAYS) $(MALFORMED) $(JUDGE)

check:
	@tests/deps.sh build test
	@$(SUBMAKE) all early next witness unit-programs
	@$(RUN) --unit $(UNIT_TESTS) --rules $(REPLAY_ARGS) $(call malformed_args,$(MALFORMED),20000) $(MODEL_ARGS) $(PYTEST) -m "not slow"

check-unit: unit-programs
	@$(RUN) --unit $(UNIT_TESTS) --rules $(REPLAY_ARGS) $(call malformed_args,$(MALFORMED),20000) $(MODEL_ARGS)

# Not the ones of great sizes, which say what they take: sanitizers see what they do.
MEMCHECK_TESTS := $(filter-out %_size_test,$(UNIT_TESTS))
FUZZ_SECONDS ?= 30
SLOW_SAN := address,undefined
SAN_BUILD := $(BUILD)-slow-sanitized
FUZZ_BUILD := $(BUILD)-slow-fuzz

check-slow:
	@tests/deps.sh build test slow
	@$(SUBMAKE) all early next witness unit-programs
	@$(SUBMAKE) SAN=$(SLOW_SAN) BUILD=$(SAN_BUILD) unit-programs
	@$(SUBMAKE) CC=clang SAN=$(SLOW_SAN) FUZZER=1 BUILD=$(FUZZ_BUILD) fuzzers
	@$(RUN) --unit $(UNIT_TESTS:$(BUILD)/%=$(SAN_BUILD)/%) \
		$(subst $(BUILD)/,$(SAN_BUILD)/,$(REPLAY_ARGS)) \
		$(call malformed_args,$(MALFORMED:$(BUILD)/%=$(SAN_BUILD)/%),$(MALFORMED_COUNT)) \
		--model $(JUDGE) 1000000 500000 --model $(SAN_BUILD)/tests/model/judge 1 20000 \
		--memcheck $(MEMCHECK_TESTS) --seconds $(FUZZ_SECONDS) \
		$(foreach n,$(FUZZ_NOUNS),--fuzz $(FUZZ_BUILD)/tests/fuzz/$(n)_fuzz tests/fuzz/$(n).corpus) \
		$(PYTEST) -m slow

# What check-slow does of test_chaos.py and test_edge.py, at the full size.
chaos:
	@tests/deps.sh build test
	@$(SUBMAKE) all early witness
	@EGRESSD_FULL=1 $(RUN) --limit 7200 --pytest tests/integration/test_chaos.py tests/integration/test_edge.py \
		-q -s -p no:cacheprovider

# What rests on the kernel, on that of Debian 12, which is older than table flag persist.
KERNEL_UNITS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(sort $(shell \
	grep -lE 'tests/unit/(scene|owner_bed|flows_bed|enforcer_bed).h' tests/unit/*_test.c)))
KERNEL_TESTS := $(patsubst %,tests/integration/test_%.py,loss enforcer revoke renewal crash upgrade)

check-kernel:
	@tests/deps.sh build test kernel
	@$(SUBMAKE) all early next witness unit-programs
	@$(PYTHON) -B tests/kernel/run.py $(BUILD)/kernel \
		$(foreach v,EGRESSD EGRESSCTL EGRESSD_EARLY EGRESSD_NEXT EGRESSD_WITNESS,$(v)=$($(v))) \
		$(PYTHON) -B tests/run.py --unit $(KERNEL_UNITS) \
		--pytest $(KERNEL_TESTS) -q -p no:cacheprovider -m "not slow"

demo:
	@tests/deps.sh build test
	@$(SUBMAKE) all
	@$(PYTHON) tests/integration/demo.py

bench: export EGRESSD_BENCH_REGISTRY = $(abspath $(BENCH_REGISTRY))
bench: export EGRESSD_BENCH_COMMIT = $(abspath $(BENCH_COMMIT))

# TOPIC="registry reload": some of it; tests/bench/run.py tells which there are.
bench:
	@tests/deps.sh build test slow
	@$(SUBMAKE) all bench-programs
	@$(PYTHON) tests/bench/run.py $(TOPIC)

deps:
	@tests/deps.sh build test lint

deps-slow:
	@tests/deps.sh build test lint slow

# Lint: every check runs, each finding is a line, any finding fails.
C_FOLDERS := base policy resolver daemon tests/unit tests/fuzz tests/model tests/bench tests/witness tests/integration/clients
C_FILES := $(wildcard $(C_FOLDERS:%=%/*.[ch]) daemon/*/*.[ch] policy/*/*.[ch])
HEADERS := $(filter %.h,$(C_FILES))
HEADERS_OK := $(HEADERS:%=$(BUILD)/%.ok)

$(BUILD)/%.h.ok: %.h | libraries cmocka
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -Werror -MMD -MP -MT $@ -MF $@.d -fsyntax-only -x c $<
	@touch $@

hdr-check: $(HEADERS_OK)

lint:
	@tests/deps.sh build test lint
	@status=0; \
	$(SUBMAKE) -k hdr-check $(ARCHIVES) >/dev/null || status=1; \
	CC="$(CC)" BUILD=$(BUILD) tests/lint/layers.sh || status=1; \
	$(PYTHON) tests/lint/source.py || status=1; \
	tests/lint/tools.sh $(C_FILES) || status=1; \
	if [ $$status -eq 0 ]; then echo "lint: nothing found"; fi; \
	exit $$status

fmt:
	clang-format-14 -i $(C_FILES)

# Installation. PREFIX=/usr for packages; nothing is enabled or started.
INSTALL ?= install
SBINDIR = $(PREFIX)/sbin
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
MAN_PAGES := $(wildcard daemon/*.[158])
UNITS := $(notdir $(wildcard systemd/*.service systemd/*.socket))
INSTALLED = $(SBINDIR)/egressd $(BINDIR)/egressctl \
	$(foreach m,$(MAN_PAGES),$(MANDIR)/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m))) \
	$(UNITS:%=$(PREFIX)/lib/systemd/system/%) \
	$(PREFIX)/lib/sysusers.d/egressd.conf $(PREFIX)/lib/tmpfiles.d/egressd.conf \
	$(if $(wildcard systemd/egressd.catalog),$(PREFIX)/lib/systemd/catalog/egressd.catalog)

install: all
	$(INSTALL) -D -m 755 $(BUILD)/egressd $(DESTDIR)$(SBINDIR)/egressd
	$(INSTALL) -D -m 755 $(BUILD)/egressctl $(DESTDIR)$(BINDIR)/egressctl
	for page in $(MAN_PAGES); do \
		$(INSTALL) -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; \
	done
	@mkdir -p $(BUILD)/systemd
	for unit in $(UNITS); do \
		sed -e 's|@sbindir@|$(SBINDIR)|g' -e 's|@bindir@|$(BINDIR)|g' \
			systemd/$$unit >$(BUILD)/systemd/$$unit && \
		$(INSTALL) -D -m 644 $(BUILD)/systemd/$$unit \
			$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit 1; \
	done
	$(INSTALL) -D -m 644 systemd/egressd.sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/egressd.conf
	$(INSTALL) -D -m 644 systemd/egressd.tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/egressd.conf
ifneq ($(wildcard systemd/egressd.catalog),)
	$(INSTALL) -D -m 644 systemd/egressd.catalog $(DESTDIR)$(PREFIX)/lib/systemd/catalog/egressd.catalog
endif

uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)

clean:
	rm -rf build build-*

help:
	@echo "all         build egressd and egressctl into $(BUILD)/"
	@echo "deps        install what building, check, demo and lint need (deps-slow: the rest)"
	@echo "check       unit tests, fuzz corpora, the registry's model, integration tests (check-unit: without the last)"
	@echo "check-slow  slow tests, sanitizers, valgrind, $(FUZZ_SECONDS) s of fuzzing each"
	@echo "chaos       kills, reloads, flushes, full sets and foreign rulesets under load, under the witness' eyes"
	@echo "check-kernel  what rests on the kernel, on Debian 12's in qemu: minutes, more without KVM"
	@echo "demo        the three scenes: ALLOW_ANY, REGISTRY_ONLY, a ServiceEntry"
	@echo "bench       all, or TOPIC=queries, flood, registry, reload or kernel: CPU, floods, load time, waits, commits"
	@echo "lint fmt    what the style asks; fmt formats"
	@echo "install     to DESTDIR/PREFIX (uninstall)"

.PHONY: all bench-programs early next witness libraries cmocka fuzzers unit-programs check check-unit check-slow \
	check-kernel chaos demo bench deps deps-slow hdr-check lint fmt install uninstall clean help
.SECONDARY:
-include $(shell find $(BUILD) $(BUILD)-early $(BUILD)-next -name '*.d' 2>/dev/null)
