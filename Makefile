# The six stages under the names that make users know; ARGS goes through: make test ARGS="--site hello"
OTTO ?= otto
.PHONY: images provision config test status destroy
images: ; $(OTTO) $@ $(ARGS)
provision: ; $(OTTO) $@ $(ARGS)
config: ; $(OTTO) $@ $(ARGS)
test: ; $(OTTO) $@ $(ARGS)
status: ; $(OTTO) $@ $(ARGS)
destroy: ; $(OTTO) $@ $(ARGS)
