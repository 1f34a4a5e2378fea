# A thin front: Meson and Ninja build.  `make demo` and `make check` need nothing set up before them.
#
#   make              the programs, optimised, in $(BUILD)
#   make demo         a primary on a loopback address, shown at work
#   make check        everything that CI runs
#   make image        bootable images of the daemons, in $(BUILD)/image
#   make deb          Debian packages, in $(BUILD)/deb
#   make sbom         what the programs consist of (SPDX), in $(BUILD)/origin.spdx.json
#   make install      into PREFIX (and DESTDIR), as any user
#   make soak         every attack at once, and fleets of fresh seeds beside, for MINUTES (60); as root
#   make bench        the programs beside other servers
#   make clean
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
MINUTES ?= 60
MESON ?= meson
export PATH := /usr/sbin:/usr/bin:/sbin:/bin:$(PATH)

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	$(MESON) setup $(BUILD) --buildtype=release -Dtests=false

demo:
	tools/install-deps build demo
	$(MAKE) all
	tools/demo $(BUILD)/src/bin

image:
	tools/install-deps build image
	$(MAKE) all
	contrib/image/fetch-kernel $(BUILD)/image
	contrib/image/build --bindir=$(BUILD)/src/bin --out=$(BUILD)/image $(IMAGE_ARGS)

check:
	tools/install-deps build demo image check
	contrib/image/fetch-kernel $(BUILD)/image
	tools/check

deb:
	tools/install-deps build deb
	tools/make-deb $(BUILD)/deb

sbom: all
	tools/sbom $(BUILD) >$(BUILD)/origin.spdx.json

install: all
	$(MESON) configure $(BUILD) --prefix=$(abspath $(PREFIX))
	DESTDIR=$(DESTDIR) $(MESON) install -C $(BUILD)

soak:
	tools/install-deps build check
	$(MAKE) all
	ninja -C $(BUILD) tests/sim/sim
	tests/system/soak.py --minutes=$(MINUTES) --bindir=$(BUILD)/src/bin --sim=$(BUILD)/tests/sim/sim $(SOAK_ARGS)

bench:
	tools/install-deps build bench
	$(MAKE) all
	ninja -C $(BUILD) bench/load bench/echo bench/updates
	bench/run --bindir=$(BUILD)/src/bin $(BENCH_ARGS)

clean:
	rm -rf $(BUILD)

.PHONY: all deb demo image check install sbom soak bench clean
