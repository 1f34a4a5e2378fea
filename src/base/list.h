/* base/list.h -- doubly linked lists whose links are members of the items.
 *
 * A list is a ring that includes its head.  An item with several links can be in several lists.  Nothing is allocated, and every
 * operation takes constant time.  A link that is all zero is in no list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list_link {
	struct list_link *prev, *next;
};

/* The item that a link is a member of. */
#define LIST_ENTRY(link, type, member) ((type *)(void *)((uint8_t *)(link) - offsetof(type, member)))

static inline void
list_init(struct list_link *head)
{
	head->prev = head->next = head;
}

static inline bool
list_is_empty(const struct list_link *head)
{
	return head->next == head;
}

static inline bool
list_is_linked(const struct list_link *link)
{
	return link->next != NULL;
}

static inline void
list_append(struct list_link *head, struct list_link *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void
list_remove(struct list_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* Moves all of `from` to the end of `to`. */
static inline void
list_append_all(struct list_link *to, struct list_link *from)
{
	if (list_is_empty(from)) {
		return;
	}
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}
