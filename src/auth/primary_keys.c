/* Makes the keys of the next view: the keys of all files, with the rights that files of secondaries grant them. */
#include "auth/primary_p.h"

void
primary_take_keys(struct primary *p, struct pending *d)
{
	struct file *f = d->file;
	keystore_free(&f->keys); /* the view has copies */
	f->keys = d->keys;
	d->keys = NULL;
	primary_report_taken(p, d, keystore_count(f->keys), "lines that are no keys; the other keys of the file are good");
}

/* The keys of all files together, with what the secondaries grant them.  NULL: no memory. */
static struct keystore *
merge(const struct primary *p, const struct secondaries *granting)
{
	struct keystore *all = keystore_new(p->conf.key_memory);
	struct findings findings = { 0 };
	if (all == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < p->files_n; i++) {
		err_t err = p->files[i]->keys != NULL ? keystore_merge(all, p->files[i]->keys, &findings) : OK;
		if (err == E_NOMEM) {
			keystore_free(&all);
			findings_fini(&findings);
			return NULL;
		}
		if (err != OK) { /* E_LIMIT, with keys that are held: primary_limit.c has left no more otherwise */
			primary_report(p, &(struct primary_report){ .event = KEYS_REJECTED, .path = p->files[i]->path,
			                                            .text = "too many keys, with those that are held" });
		}
	}
	for (size_t i = 0; i < findings.n; i++) {
		primary_report(p, &(struct primary_report){ .event = KEYS_REJECTED, .path = "_keys",
		                                            .text = findings.list[i].text });
	}
	findings_fini(&findings);
	keystore_grant(all, granting);
	keystore_seal(all);
	return all;
}

/* Without memory the old keys and secondaries stay valid, and the next commit tries again. */
void
primary_merge_keys(struct apply *a)
{
	struct primary *p = a->p;
	struct secondaries *secondaries = primary_merge_secondaries(p);
	struct keystore *keys = secondaries != NULL ? merge(p, secondaries) : NULL;
	if (keys == NULL) {
		p->are_keys_behind = true;
		secondaries_free(&secondaries);
		primary_report(p, &(struct primary_report){
		                          .event = KEYS_REJECTED, .path = "_keys",
		                          .text = "there is not enough memory for all keys and secondaries; those before stay good" });
		return;
	}
	if (secondaries_count(secondaries) == 0) {
		secondaries_free(&secondaries);
	}
	primary_say_unknown(a, keys, p->views.latest->keys);
	p->are_keys_behind = false;
	next_view_set_keys(&a->next, keys, secondaries);
}
