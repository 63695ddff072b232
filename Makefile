# SPDX-License-Identifier: Apache-2.0
# Needs GNU make, gcc 12 or clang 14, pkg-config, and the libraries in PACKAGES.
#	make [WERROR=1] [CC=clang] [SAN=address,undefined] [BUILD=build]

BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
comma := ,

PACKAGES := libevent_core libcares ldns yaml-0.1 libnftnl libmnl libsystemd

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
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -pthread $(WARNINGS) $(HARDENING) $(CFLAGS) $(PKG_CFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

PROGRAMS := egressd egressctl
MAINS := $(PROGRAMS:%=daemon/%.c)
LAYERS := daemon resolver policy base

layer_objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(MAINS),$(wildcard $(1)/*.c)))
ARCHIVES := $(LAYERS:%=$(BUILD)/lib%.a)

all: $(PROGRAMS:%=$(BUILD)/%)

define archive
$(BUILD)/lib$(1).a: $(call layer_objects,$(1))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive,$(l))))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/daemon/%.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $< $(ARCHIVES) $(PKG_LIBS) -o $@

UNIT_TESTS := $(patsubst tests/unit/%_test.c,$(BUILD)/tests/unit/%_test,$(wildcard tests/unit/*_test.c))

$(BUILD)/tests/unit/%_test: $(BUILD)/tests/unit/%_test.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) $< $(ARCHIVES) $(PKG_LIBS) $(shell pkg-config --libs cmocka) -o $@

check-unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do echo "== $$t"; $$t || exit 1; done

clean:
	rm -rf build build-*

.PHONY: all check-unit clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
