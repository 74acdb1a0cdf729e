# The front door. Developers find single sessions in noxfile.py: .venv/bin/nox --list

.DEFAULT_GOAL := help
.PHONY: help demo demo-job demo-stop test dist clean

PLAYBOOK := .venv/bin/ansible-playbook

help:
	@echo "make demo          the whole path on this machine, no account needed: buy, serve a model, ask it, end it"
	@echo "make demo KEEP=1   the same, but leave it running and say how to talk to it"
	@echo "make demo PROVIDERS=verda,lambda,vast   the same over three simulated clouds, on the cheapest instance of all"
	@echo "make demo-job      a training on this machine, no account needed: buy on spot, be evicted, go on, bring it home, end it"
	@echo "make demo-stop     end what make demo KEEP=1 left running"
	@echo "make test          the tests (SESSIONS=\"lint unit-2.19\" for some of them)"
	@echo "make dist          the collection as a tarball below dist (GPUOPS_REPOSITORY=https://... is its address, for Galaxy)"
	@echo "make clean         remove what was made in this clone: .venv, .nox, .collections, dist"

demo:
	@python3 scripts/setup.py demo
	@$(PLAYBOOK) playbooks/demo.yml $(if $(KEEP),-e demo_keep=true) $(if $(PROVIDERS),-e demo_providers=$(PROVIDERS))

demo-job:
	@python3 scripts/setup.py demo
	@$(PLAYBOOK) playbooks/demo_job.yml

demo-stop:
	@python3 scripts/setup.py demo
	@$(PLAYBOOK) playbooks/demo_stop.yml

test:
	@python3 scripts/setup.py test
	@.venv/bin/python scripts/test.py $(SESSIONS)

dist:
	@python3 scripts/setup.py demo
	@PATH="$(CURDIR)/.venv/bin:$$PATH" python3 scripts/dist.py

clean:
	rm -rf .venv .nox .ansible .collections dist
