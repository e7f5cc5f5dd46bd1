/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The overview's parts: a card for each VPN, and the form for a new one.
 */
#include "portal/page.h"

#include <string.h>

/* What people read of a state (portal_states() in the database). */
static const struct state {
	const char *state, *tag, *mark, *words;
} states[] = {
	{"on", "On", "on", "Set up and carrying your traffic."},
	{"changing", "On, changing", "busy",
	 "Set up with the settings from before; the new ones follow shortly, or at the "
	 "next registration of your device."},
	{"waiting", "Being set up", "busy",
	 "Not there yet; it is set up shortly, or at the next registration of your "
	 "device."},
	{"offline", "Ready", "off", "Will be set up when your device registers."},
	{"leaving", "Being removed", "busy",
	 "You have removed it; it ends shortly, or with the registration of your device."},
	{"refused", "Not possible", "bad", "It will not be set up: "},
	{"stopped", "Switched off", "bad", "Your provider has switched it off."},
	{"suspended", "Suspended", "bad", "Your subscription is suspended."},
	{NULL, "Unknown", "off", "Your provider's database knows a state that this page does not know."},
};

static const struct state *state_of(const char *word)
{
	const struct state *s = states;

	while (s->state && strcmp(s->state, word))
		s++;
	return s;
}

/* The class that the user wants in a direction, in words. */
static const char *class_words(const struct store_view *v, const char *cls)
{
	for (size_t i = 0; i < v->n_classes; i++) {
		if (!strcmp(v->cls[i].name, cls))
			return v->cls[i].description;
	}
	return "";
}

static void class_shown(struct html *h, const struct store_view *v, const char *cls, const char *fallback)
{
	const char *name = cls[0] ? cls : fallback, *words = class_words(v, name);

	html_put(h, "%s", strcmp(name, "0") ? name : "normal");
	if (words[0] && strcmp(name, "0"))
		html_put(h, " (%s)", words);
	if (!cls[0])
		html_put(h, ", your provider's choice");
}

static const char *security_words(const char *name)
{
	if (!strcmp(name, "ESP"))
		return "Encrypted (ESP)";
	if (!strcmp(name, "AH"))
		return "Authenticated only (AH)";
	if (!strcmp(name, "ENCAP"))
		return "No protection (IP-in-IP)";
	return name;
}

static void option(struct html *h, const char *value, const char *chosen, const char *words)
{
	html_put(h,
		 strcmp(value, chosen) ? "<option value=\"%s\">%s</option>\n"
				       : "<option value=\"%s\" selected>%s</option>\n",
		 value, words);
}

static void class_option(struct html *h, const struct store_class *c, const char *chosen)
{
	html_put(h,
		 strcmp(c->name, chosen) ? "<option value=\"%s\">%s: %s</option>\n"
					 : "<option value=\"%s\" selected>%s: %s</option>\n",
		 c->name, strcmp(c->name, "0") ? c->name : "Normal", c->description);
}

static void class_select(struct html *h, const struct store_view *v, const char *name, const char *suffix,
			 const char *label, const char *chosen, const char *fallback)
{
	bool there = !chosen[0];

	html_put(h,
		 "<div class=\"field\"><label for=\"%s-%s\">%s</label>\n<select id=\"%s-%s\" name=\"%s\">\n",
		 name, suffix, label, name, suffix, name);
	html_put(h,
		 chosen[0] ? "<option value=\"\">Provider's choice%s%s</option>\n"
			   : "<option value=\"\" selected>Provider's choice%s%s</option>\n",
		 fallback[0] && strcmp(fallback, "0") ? ": " : "", strcmp(fallback, "0") ? fallback : "");
	for (size_t i = 0; i < v->n_classes; i++) {
		class_option(h, &v->cls[i], chosen);
		there |= !strcmp(v->cls[i].name, chosen);
	}
	if (!there) /* one that only the provider gives */
		option(h, chosen, chosen, chosen);
	html_put(h, "</select></div>\n");
}

void page_choices(struct html *h, const struct store_view *v, const struct page_choice *c)
{
	static const char *const types[] = {"ESP", "AH", "ENCAP"};

	class_select(h, v, "up", c->suffix, "Quality from your device", c->up, c->up_default);
	class_select(h, v, "down", c->suffix, "Quality to your device", c->down, c->down_default);
	html_put(h,
		 "<div class=\"field\"><label for=\"security-%s\">Security</label>\n"
		 "<select id=\"security-%s\" name=\"security\">\n",
		 c->suffix, c->suffix);
	for (size_t i = 0; i < 3; i++)
		option(h, types[i], c->security, security_words(types[i]));
	html_put(h, "</select></div>\n");
}

static void change_form(struct html *h, const struct page *p, const struct store_view *v,
			const struct store_vpn *n)
{
	struct page_choice c = {n->number,   n->up_class,   n->down_class,
				n->security, n->up_default, n->down_default};

	html_put(
		h,
		"<details><summary>Change quality or security<span class=\"unseen\"> of %s</span></summary>\n"
		"<form method=\"post\" action=\"/vpn/change\">\n<input type=\"hidden\" name=\"word\" "
		"value=\"%s\">\n"
		"<input type=\"hidden\" name=\"number\" value=\"%s\">\n",
		n->destination, p->form_word, n->number);
	page_choices(h, v, &c);
	html_put(h,
		 "<button class=\"main\">Save<span class=\"unseen\"> for "
		 "%s</span></button>\n</form></details>\n",
		 n->destination);
}

static void remove_form(struct html *h, const struct page *p, const struct store_vpn *n)
{
	html_put(h,
		 "<details><summary>Remove<span class=\"unseen\"> %s</span></summary>\n"
		 "<form method=\"post\" action=\"/vpn/remove\">\n<input type=\"hidden\" name=\"word\" "
		 "value=\"%s\">\n"
		 "<input type=\"hidden\" name=\"number\" value=\"%s\">\n"
		 "<p>Your device no longer reaches %s through a VPN then. You can choose it again at any "
		 "time.</p>\n"
		 "<button class=\"danger\">Remove %s</button>\n</form></details>\n",
		 n->destination, p->form_word, n->number, n->destination, n->destination);
}

static void card(struct html *h, const struct page *p, const struct store_view *v, const struct store_vpn *n)
{
	const struct state *s = state_of(n->state);

	html_put(h,
		 "<li class=\"card\" id=\"vpn-%s\">\n<div class=\"top\"><h3>%s</h3> <span class=\"tag "
		 "%s\">%s</span></div>\n",
		 n->number, n->name[0] ? n->name : n->destination, s->mark, s->tag);
	html_put(h, "<p>%s%s%s</p>\n", s->words, n->objection, n->objection[0] ? "." : "");
	if (n->in_session && (!strcmp(n->state, "refused") || !strcmp(n->state, "stopped")))
		html_put(h, "<p>It still stands, and ends with the registration of your device at the "
			    "latest.</p>\n");
	html_put(
		h,
		"<dl>\n<div><dt>Destination</dt><dd>%s</dd></div>\n<div><dt>Security</dt><dd>%s</dd></div>\n",
		n->destination, security_words(n->security));
	if (strcmp(n->state, "leaving")) {
		html_put(h, "<div><dt>Quality from your device</dt><dd>");
		class_shown(h, v, n->up_class, n->up_default);
		html_put(h, "</dd></div>\n<div><dt>Quality to your device</dt><dd>");
		class_shown(h, v, n->down_class, n->down_default);
		html_put(h, "</dd></div>\n");
	}
	html_put(h, "</dl>\n");
	if (v->visit.enabled && strcmp(n->state, "leaving") && strcmp(n->state, "stopped")) {
		change_form(h, p, v, n);
		remove_form(h, p, n);
	}
	html_put(h, "</li>\n");
}

void page_vpns(struct html *h, const struct page *p, const struct store_view *v)
{
	if (!v->n_vpns) {
		html_put(h, "<p class=\"card\">You have no VPN yet. Choose a destination below.</p>\n");
		return;
	}
	html_put(h, "<h2>Chosen destinations</h2>\n<ul class=\"cards\">\n");
	for (size_t i = 0; i < v->n_vpns; i++)
		card(h, p, v, &v->vpn[i]);
	html_put(h, "</ul>\n<p><a href=\"/\">Show the state again</a></p>\n");
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void network_field(struct html *h, const struct store_view *v, const struct page_fault *f)
{
	html_put(h, "<fieldset class=\"field\" id=\"network\"><legend>Where to</legend>\n");
	for (size_t i = 0; i < v->n_networks; i++) {
		const struct store_network *n = &v->network[i];
		bool chosen = f && f->network && !strcmp(f->network, n->network);

		chosen |= v->n_networks == 1;
		html_put(h,
			 chosen ? "<div class=\"radio\"><input type=\"radio\" id=\"net-%d\" name=\"network\" "
				  "value=\"%s\" checked required>"
				: "<div class=\"radio\"><input type=\"radio\" id=\"net-%d\" name=\"network\" "
				  "value=\"%s\" required>",
			 (int)i, n->network);
		html_put(h, "<label for=\"net-%d\">%s%s<span class=\"hint\">%s%s</span></label></div>\n",
			 (int)i, n->name, n->name[0] ? " " : "", n->network,
			 n->chosen ? ", already chosen as a whole" : "");
	}
	html_put(h, "</fieldset>\n");
}

static void text_field(struct html *h, const char *id, const char *label, const char *hint, const char *value,
		       int most, bool wrong)
{
	html_put(h,
		 "<div class=\"field\"><label for=\"%s\">%s <span class=\"hint\">(optional)</span></label>\n"
		 "<p class=\"hint\" id=\"%s-hint\">%s</p>\n"
		 "<input id=\"%s\" name=\"%s\" type=\"text\" value=\"%s\" maxlength=\"%d\" "
		 "autocomplete=\"off\" ",
		 id, label, id, hint, id, id, value, most);
	html_put(h,
		 wrong ? "aria-invalid=\"true\" aria-describedby=\"fault %s-hint\"></div>\n"
		       : "aria-describedby=\"%s-hint\"></div>\n",
		 id);
}

void page_add_form(struct html *h, const struct page *p, const struct store_view *v,
		   const struct page_fault *f)
{
	const struct page_fault none = {0}, *k = f ? f : &none;
	struct page_choice c = {
		"new", or_empty(k->up), or_empty(k->down), k->security ? k->security : "ESP", "", ""};
	const char *at = k->field ? k->field : "";

	html_put(h, "<h2>Choose a new destination</h2>\n");
	if (!v->n_networks) {
		html_put(h, "<p class=\"card\">There is no contract now that opens a network to you. Ask "
			    "your provider.</p>\n");
		return;
	}
	html_put(h,
		 "<form class=\"card\" method=\"post\" action=\"/vpn/add\">\n"
		 "<input type=\"hidden\" name=\"word\" value=\"%s\">\n",
		 p->form_word);
	network_field(h, v, k);
	text_field(h, "part", "Only a part of it",
		   "An address or a network in it, for example 10.9.0.5 or 10.9.0.0/28", or_empty(k->part),
		   18, !strcmp(at, "part"));
	text_field(h, "name", "Name", "What you want to call it, at most 60 characters", or_empty(k->name),
		   60, !strcmp(at, "name"));
	page_choices(h, v, &c);
	html_put(h, "<button class=\"main\">Add this destination</button>\n</form>\n");
}
