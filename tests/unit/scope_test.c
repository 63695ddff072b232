/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pods see under Sidecars: which one applies, what it imports, on which ports. The
 * numbers are the reference's sections.
 */
#include <errno.h>

#include "tests/unit/alloc.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"
#include "tests/unit/mesh_text.h"

struct view_case {
	const char *title;
	const char *text;
	const char *pod; /* NULL: one that is not known */
	const char *name;
	const char *want; /* NAMESPACE/NAME of the entry and its ports, or as below */
};

#define PARENT "parent"
#define NO "not registered"
#define HIDDEN "not exported"
#define NOT_IMPORTED "not imported"
#define OPEN "open"
#define ZONE "zone"

/* A plain world: an entry in each of three namespaces, and pods in two. */
#define ENTRIES                                                                          \
	SE("a", "ea", "", "[a.com]", P443)                                               \
	SE("b", "eb", "", "[b.com, '*.w.b.com', x.b.com]", P443)                         \
	SE("istio-system", "es", "", "[s.com]", P443)
#define WORLD ENTRIES POD_A POD_B

#define EGRESS(hosts) "egress: [{hosts: [" hosts "]}]"
#define SC(ns, name, hosts) SIDECAR(ns, name, "", EGRESS(hosts))
#define OLD AGE("2021-01-01")
#define NEW AGE("2022-01-01")
#define LABELLED(selector, hosts) "workloadSelector: " selector ", " EGRESS(hosts)

static const struct view_case choice[] = {
    {"2.2.4 no Sidecar", WORLD, IN_A, "b.com", "b/eb 443"},
    {"2.2.2 the namespace's", WORLD SC("a", "s", "'./*'"), IN_A, "a.com", "a/ea 443"},
    {"2.2.2 the namespace's hides", WORLD SC("a", "s", "'./*'"), IN_A, "b.com",
	NOT_IMPORTED},
    {"2.2.2 of another namespace", WORLD SC("a", "s", "'./*'"), IN_B, "a.com",
	"a/ea 443"},
    {"2.2.1 selector that matches",
	WORLD SIDECAR("a", "s", "", LABELLED("{labels: {app: web}}", "'b/*'"))
	    SC("a", "plain", "'./*'"),
	IN_A, "b.com", "b/eb 443"},
    {"2.2.1 nothing is merged",
	WORLD SIDECAR("a", "s", "", LABELLED("{labels: {app: web}}", "'b/*'"))
	    SC("a", "plain", "'./*'"),
	IN_A, "a.com", NOT_IMPORTED},
    {"2.2.1 a subset of the pod's labels",
	WORLD SIDECAR(
	    "a", "s", "", LABELLED("{labels: {app: web, tier: front}}", "'b/*'")),
	IN_A, "a.com", NOT_IMPORTED},
    {"2.2.2 selector that does not match",
	WORLD SIDECAR("a", "s", "", LABELLED("{labels: {app: db}}", "'b/*'"))
	    SC("a", "plain", "'./*'"),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.4 selector that does not match, alone",
	WORLD SIDECAR("a", "s", "", LABELLED("{labels: {app: db}}", "'b/*'")), IN_A,
	"a.com", "a/ea 443"},
    {"2.2.1 selector one label too many",
	WORLD SIDECAR("a", "s", "", LABELLED("{labels: {app: web, x: z}}", "'b/*'")),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.1 selector {} matches every pod",
	WORLD SIDECAR("a", "s", NEW, LABELLED("{}", "'b/*'"))
	    SIDECAR("a", "plain", OLD, EGRESS("'./*'")),
	IN_A, "b.com", "b/eb 443"},
    {"2.2.1 selector null is none",
	WORLD SIDECAR("a", "s", NEW, LABELLED("null", "'b/*'"))
	    SIDECAR("a", "plain", OLD, EGRESS("'./*'")),
	IN_A, "b.com", NOT_IMPORTED},
    {"2.2.1 the oldest of two that match",
	WORLD SIDECAR("a", "s1", NEW, LABELLED("{labels: {app: web}}", "'b/*'"))
	    SIDECAR("a", "s2", OLD, LABELLED("{labels: {tier: front}}", "'./*'")),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.1 by name when of one age",
	WORLD SIDECAR("a", "s2", OLD, LABELLED("{labels: {app: web}}", "'b/*'"))
	    SIDECAR("a", "s1", OLD, LABELLED("{labels: {tier: front}}", "'./*'")),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.1 without a time is the oldest",
	WORLD SIDECAR("a", "s1", OLD, LABELLED("{labels: {app: web}}", "'b/*'"))
	    SIDECAR("a", "s2", "", LABELLED("{labels: {tier: front}}", "'./*'")),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.2 the oldest without selector",
	WORLD SIDECAR("a", "s1", NEW, EGRESS("'b/*'"))
	    SIDECAR("a", "s2", OLD, EGRESS("'./*'")),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.3 root namespace Sidecar", WORLD SC("istio-system", "s", "'b/*'"), IN_A,
	"b.com", "b/eb 443"},
    {"2.2.3 root namespace Sidecar hides", WORLD SC("istio-system", "s", "'b/*'"), IN_A,
	"s.com", NOT_IMPORTED},
    {"2.2.3 root namespace Sidecar, dot is the pod's namespace",
	WORLD SC("istio-system", "s", "'./*'"), IN_A, "a.com", "a/ea 443"},
    {"2.2.3 dot is not the root namespace", WORLD SC("istio-system", "s", "'./*'"), IN_A,
	"s.com", NOT_IMPORTED},
    {"2.2.3 dot is not another pod's namespace", WORLD SC("istio-system", "s", "'./*'"),
	IN_A, "b.com", NOT_IMPORTED},
    {"2.2.3 in the root namespace itself",
	WORLD POD("istio-system", "ps", IN_C, "") SC("istio-system", "s", "'./*'"), IN_C,
	"s.com", "istio-system/es 443"},
    {"2.2.2 the namespace's goes before the root's",
	WORLD SC("istio-system", "s", "'b/*'") SC("a", "s", "'./*'"), IN_A, "a.com",
	"a/ea 443"},
    {"2.2.2 the younger namespace's goes before the root's",
	WORLD SIDECAR("istio-system", "s", OLD, EGRESS("'b/*'"))
	    SIDECAR("a", "s", NEW, EGRESS("'./*'")),
	IN_A, "b.com", NOT_IMPORTED},
    {"2.2.3 selector that does not match, then the root's",
	WORLD SC("istio-system", "s", "'b/*'")
	    SIDECAR("a", "s", "", LABELLED("{labels: {app: db}}", "'./*'")),
	IN_A, "b.com", "b/eb 443"},
    {"2.2.3 a selector in the root namespace is for its own pods",
	WORLD SIDECAR("istio-system", "s", "", LABELLED("{labels: {app: web}}", "'b/*'")),
	IN_A, "a.com", "a/ea 443"},
    {"2.2.3 selector {} in the root namespace too",
	WORLD SIDECAR("istio-system", "s", "", LABELLED("{}", "'b/*'")), IN_A, "a.com",
	"a/ea 443"},
    {"2.2 who is not known, without Sidecar", WORLD, NULL, "a.com", "a/ea 443"},
    {"2.2 who is not known, under a namespace's", WORLD SC("a", "s", "'b/*'"), NULL,
	"a.com", "a/ea 443"},
    {"2.2 who is not known, under the root's", WORLD SC("istio-system", "s", "'b/*'"),
	NULL, "a.com", NOT_IMPORTED},
    {"2.2 who is not known, under the root's, imported",
	WORLD SC("istio-system", "s", "'b/*'"), NULL, "b.com", "b/eb 443"},
    {"2.2 who is not known, dot is nothing", WORLD SC("istio-system", "s", "'./*'"), NULL,
	"s.com", NOT_IMPORTED},
    {"2.2 who is not known, private",
	SE("b", "p", "", "[p.com]", P443 ", exportTo: [.]")
	    SC("istio-system", "s", "'*/p.com', './*'"),
	NULL, "p.com", HIDDEN},
    {"2.2 who is not known, ports trimmed by the root's",
	SE("b", "p", "", "[p.com]", P80_443) SIDECAR("istio-system", "s", "",
	    "egress: [{port: {number: 80}, hosts: ['*/*', '~./*']}]"),
	NULL, "p.com", "b/p 80"},
};

static const struct view_case imports[] = {
    {"2.3 egress absent", WORLD SIDECAR("a", "s", "", POLICY), IN_A, "b.com", "b/eb 443"},
    {"2.3 egress null", WORLD SIDECAR("a", "s", "", "egress: null, " POLICY), IN_A,
	"b.com", "b/eb 443"},
    {"2.3 egress []", WORLD SIDECAR("a", "s", "", "egress: [], " POLICY), IN_A, "b.com",
	"b/eb 443"},
    {"2.1 */*", WORLD SC("a", "s", "'*/*'"), IN_A, "b.com", "b/eb 443"},
    {"2.1 */* and a private one",
	POD_A SE("b", "p", "", "[p.com]", P443 ", exportTo: [a]") SC("a", "s", "'*/*'"),
	IN_A, "p.com", "b/p 443"},
    {"2.1 a namespace", WORLD SC("a", "s", "'b/*'"), IN_A, "x.b.com", "b/eb 443"},
    {"2.1 a namespace, another's", WORLD SC("a", "s", "'b/*'"), IN_A, "s.com",
	NOT_IMPORTED},
    {"2.1 a namespace that is not there", WORLD SC("a", "s", "'zzz/*'"), IN_A, "s.com",
	NOT_IMPORTED},
    {"2.1 own namespace by its name", WORLD SC("a", "s", "'a/*'"), IN_A, "a.com",
	"a/ea 443"},
    {"2.1 nothing", WORLD SC("a", "s", "'~/*'"), IN_A, "a.com", NOT_IMPORTED},
    {"2.1 nothing: no parents", WORLD SC("a", "s", "'~/*'"), IN_A, "com", NO},
    {"2.1 a name", WORLD SC("a", "s", "'b/b.com'"), IN_A, "b.com", "b/eb 443"},
    {"2.1 a name in capital letters, with a dot", WORLD SC("a", "s", "'b/B.com.'"), IN_A,
	"b.com", "b/eb 443"},
    {"2.1 a name, of any namespace", WORLD SC("a", "s", "'*/b.com'"), IN_A, "b.com",
	"b/eb 443"},
    {"2.1 a name, of another namespace", WORLD SC("a", "s", "'c/b.com'"), IN_A, "b.com",
	NOT_IMPORTED},
    {"2.1 a name, not those below", WORLD SC("a", "s", "'b/b.com'"), IN_A, "x.b.com",
	NOT_IMPORTED},
    {"2.1 a name: what is above it is a parent", WORLD SC("a", "s", "'b/b.com'"), IN_A,
	"com", PARENT},
    {"2.1 a name does not import a wildcard", WORLD SC("a", "s", "'b/y.w.b.com'"), IN_A,
	"y.w.b.com", NOT_IMPORTED},
    {"2.1 nor does the name that it is below", WORLD SC("a", "s", "'b/w.b.com'"), IN_A,
	"y.w.b.com", NOT_IMPORTED},
    {"2.1 a wildcard imports the same wildcard", WORLD SC("a", "s", "'b/*.w.b.com'"),
	IN_A, "y.w.b.com", "b/eb 443"},
    {"2.1 a wildcard imports a narrower wildcard", WORLD SC("a", "s", "'b/*.b.com'"),
	IN_A, "y.w.b.com", "b/eb 443"},
    {"2.1 a wildcard imports names", WORLD SC("a", "s", "'b/*.b.com'"), IN_A, "x.b.com",
	"b/eb 443"},
    {"2.1 a wildcard does not import its apex", WORLD SC("a", "s", "'b/*.b.com'"), IN_A,
	"b.com", PARENT},
    {"2.1 a wildcard does not import a wider one", WORLD SC("a", "s", "'b/*.z.w.b.com'"),
	IN_A, "y.z.w.b.com", NOT_IMPORTED},
    {"2.1 a wildcard is of whole labels",
	POD_A SE("a", "e", "", "[xb.com, x-b.com]", P443) SC("a", "s", "'a/*.b.com'"),
	IN_A, "xb.com", NOT_IMPORTED},
    {"2.1 a top wildcard", WORLD SC("a", "s", "'*/*.com'"), IN_A, "s.com",
	"istio-system/es 443"},
    {"2.1 two names", WORLD SC("a", "s", "'b/b.com', './a.com'"), IN_A, "a.com",
	"a/ea 443"},
    {"2.1 nobody's is no parent", WORLD SC("a", "s", "'b/b.com'"), IN_A, "nothing.org",
	NO},
    {"3.1 exportTo is applied before hosts",
	POD_A SE("b", "p", "", "[p.com]", P443 ", exportTo: [.]") SC("a", "s", "'b/*'"),
	IN_A, "p.com", HIDDEN},
    {"3.1 exported by name, and imported",
	POD_A SE("b", "p", "", "[p.com]", P443 ", exportTo: [a]") SC("a", "s", "'b/*'"),
	IN_A, "p.com", "b/p 443"},
    {"3.1 exported by name, not imported",
	POD_A SE("b", "p", "", "[p.com]", P443 ", exportTo: [a]") SC("a", "s", "'./*'"),
	IN_A, "p.com", NOT_IMPORTED},
    {"3.1 exported by name, under the root's",
	POD_A POD_B SE("b", "p", "", "[p.com]", P443 ", exportTo: [a]")
	    SC("istio-system", "s", "'b/*'"),
	IN_A, "p.com", "b/p 443"},
    {"3.1 not to its own namespace, under the root's",
	POD_A POD_B SE("b", "p", "", "[p.com]", P443 ", exportTo: [a]")
	    SC("istio-system", "s", "'b/*'"),
	IN_B, "p.com", HIDDEN},

    /* exclusions */
    {"2.1 excluded by name: a parent of what is left",
	WORLD SC("a", "s", "'*/*', '~b/b.com'"), IN_A, "b.com", PARENT},
    {"2.1 excluded by name, not those below", WORLD SC("a", "s", "'*/*', '~b/b.com'"),
	IN_A, "x.b.com", "b/eb 443"},
    {"2.1 excluded in another namespace", WORLD SC("a", "s", "'*/*', '~c/b.com'"), IN_A,
	"b.com", "b/eb 443"},
    {"2.1 excluded everywhere by a bare ~", WORLD SC("a", "s", "'*/*', '~/b.com'"), IN_A,
	"b.com", PARENT},
    {"2.1 excluded everywhere by *", WORLD SC("a", "s", "'*/*', '~*/b.com'"), IN_A,
	"b.com", PARENT},
    {"2.1 excluded below", WORLD SC("a", "s", "'*/*', '~b/*.b.com'"), IN_A, "y.w.b.com",
	NOT_IMPORTED},
    {"2.1 excluded below, not the apex", WORLD SC("a", "s", "'*/*', '~b/*.b.com'"), IN_A,
	"b.com", "b/eb 443"},
    {"2.1 an excluded name leaves a wildcard",
	WORLD SC("a", "s", "'*/*', '~b/y.w.b.com'"), IN_A, "y.w.b.com", "b/eb 443"},
    {"2.1 a whole namespace excluded", WORLD SC("a", "s", "'*/*', '~b/*'"), IN_A, "b.com",
	NOT_IMPORTED},
    {"2.1 excluded before it is imported", WORLD SC("a", "s", "'~b/b.com', '*/*'"), IN_A,
	"b.com", PARENT},
    {"2.1 own namespace excluded", WORLD SC("a", "s", "'*/*', '~./*'"), IN_A, "a.com",
	NOT_IMPORTED},
    {"2.1 own namespace excluded, in the root's",
	WORLD SC("istio-system", "s", "'*/*', '~./*'"), IN_A, "a.com", NOT_IMPORTED},
    {"2.1 own namespace excluded, in the root's: the others'",
	WORLD SC("istio-system", "s", "'*/*', '~./*'"), IN_A, "b.com", "b/eb 443"},
    {"2.1 own namespace excluded, in the root's: nobody has one",
	WORLD SC("istio-system", "s", "'*/*', '~./*'"), NULL, "a.com", "a/ea 443"},
    {"2.1 everything excluded", WORLD SC("a", "s", "'*/*', '~/*'"), IN_A, "a.com",
	NOT_IMPORTED},
    {"2.1 only exclusions import nothing", WORLD SC("a", "s", "'~b/*'"), IN_A, "a.com",
	NOT_IMPORTED},
    {"2.1 what is excluded uncovers another namespace's",
	POD_A SE("a", "own", "", "[m.com]", P443) SE("b", "other", "", "[m.com]", P443)
	    SC("a", "s", "'*/*', '~a/m.com'"),
	IN_A, "m.com", "b/other 443"},
};

#define PORTED(listeners) SIDECAR("a", "s", "", "egress: [" listeners "]")
#define AT(port, hosts) "{port: {number: " port "}, hosts: [" hosts "]}"
#define REST(hosts) "{hosts: [" hosts "]}"
#define TWO POD_A SE("a", "e", "", "[e.com]", P80_443) SE("b", "f", "", "[f.com]", P443)

static const struct view_case ports[] = {
    {"2.1 a port trims", TWO PORTED(AT("80", "'*/*'")), IN_A, "e.com", "a/e 80"},
    {"2.1 a port imports only what lists it", TWO PORTED(AT("80", "'*/*'")), IN_A,
	"f.com", NOT_IMPORTED},
    {"2.1 two ports unite", TWO PORTED(AT("80", "'*/*'") ", " AT("443", "'*/*'")), IN_A,
	"e.com", "a/e 80,443"},
    {"2.1 a listener that imports something else",
	TWO PORTED(AT("80", "'*/*'") ", " AT("443", "'b/*'")), IN_A, "e.com", "a/e 80"},
    {"2.1 the rest", TWO PORTED(AT("8080", "'*/*'") ", " REST("'*/*'")), IN_A, "e.com",
	"a/e 80,443"},
    {"2.1 a port with a listener of its own is not the rest's",
	TWO PORTED(AT("443", "'b/*'") ", " REST("'*/*'")), IN_A, "e.com", "a/e 80"},
    {"2.1 nothing is left for the rest: it resolves",
	TWO PORTED(AT("443", "'a/*'") ", " REST("'*/*'")), IN_A, "f.com", "b/f"},
    {"2.1 a port and the rest unite", TWO PORTED(AT("443", "'a/*'") ", " REST("'a/*'")),
	IN_A, "e.com", "a/e 80,443"},
    {"2.1 HTTP_PROXY does not trim",
	TWO PORTED("{port: {number: 8080, protocol: HTTP_PROXY}, hosts: ['*/*']}"), IN_A,
	"e.com", "a/e 80,443"},
    {"2.1 http_proxy in lower case",
	TWO PORTED("{port: {number: 80, protocol: http_proxy}, hosts: ['b/*']}"), IN_A,
	"f.com", "b/f 443"},
    {"2.1 another protocol trims",
	TWO PORTED("{port: {number: 80, protocol: HTTP}, hosts: ['*/*']}"), IN_A, "e.com",
	"a/e 80"},
    {"2.1 a unix socket does not trim",
	TWO PORTED("{port: {number: 0}, bind: 'unix:///x', hosts: ['*/*']}"), IN_A,
	"e.com", "a/e 80,443"},
    {"2.1 the bind does not matter",
	TWO PORTED("{port: {number: 80}, bind: 127.0.0.1, hosts: ['*/*']}"), IN_A,
	"e.com", "a/e 80"},
    {"2.1 */* on a port only", TWO PORTED(AT("1", "'*/*'")), IN_A, "e.com", NOT_IMPORTED},
    {"2.1 an exclusion is one listener's",
	TWO PORTED(AT("80", "'*/*', '~*/e.com'") ", " AT("443", "'*/*'")), IN_A, "e.com",
	"a/e 443"},
    {"2.1 under the root's",
	TWO SIDECAR("istio-system", "s", "", "egress: [" AT("80", "'./*'") "]"), IN_A,
	"e.com", "a/e 80"},
    {"2.1 ports of merged entries",
	POD_A SE("a", "e1", "", "[e.com]", P443) SE("a", "e2", "", "[e.com]", P80)
	    PORTED(AT("80", "'*/*'")),
	IN_A, "e.com", "a/e1 80"},
    {"3.2a the first listener decides whose it is",
	POD_A SE("b", "e1", "", "[e.com]", P80) SE("c", "e2", "", "[e.com]", P443)
	    PORTED(AT("443", "'*/*'") ", " AT("80", "'*/*'")),
	IN_A, "e.com", "c/e2 443"},
    {"3.2a for each listener the own namespace goes first",
	POD_A SE("b", "e1", OLD, "[e.com]", P80_443) SE("a", "e2", NEW, "[e.com]", P80)
	    PORTED(AT("80", "'*/*'") ", " AT("443", "'*/*'")),
	IN_A, "e.com", "a/e2 80"},
    {"3.2a the namespace of the first, with what later ones serve of it",
	POD_A SE("b", "e1", OLD, "[e.com]", P80_443) SE("c", "e2", NEW, "[e.com]",
	    P80_443) PORTED(AT("80", "'c/*'") ", " AT("443", "'c/*', 'b/x.com'")),
	IN_A, "e.com", "c/e2 80,443"},
};

static const struct view_case precedence[] = {
    {"3.2a own before older public",
	POD_A SE("b", "e1", OLD, "[e.com]", P443) SE("a", "e2", NEW, "[e.com]", P443)
	    SC("a", "s", "'*/*', '~b/x.com'"),
	IN_A, "e.com", "a/e2 443"},
    {"3.2a private before older public",
	POD_A SE("b", "e1", OLD, "[e.com]", P443) SE("c", "e2", NEW, "[e.com]",
	    P443 ", exportTo: [a]") SC("a", "s", "'b/*', 'c/*'"),
	IN_A, "e.com", "c/e2 443"},
    {"3.2a private that is not imported",
	POD_A SE("b", "e1", OLD, "[e.com]", P443)
	    SE("c", "e2", NEW, "[e.com]", P443 ", exportTo: [a]") SC("a", "s", "'b/*'"),
	IN_A, "e.com", "b/e1 443"},
    {"3.2a the oldest public",
	POD_A SE("b", "e1", NEW, "[e.com]", P443) SE("c", "e2", OLD, "[e.com]", P443)
	    SC("a", "s", "'b/*', 'c/*'"),
	IN_A, "e.com", "c/e2 443"},
    {"3.2a the oldest public, under the root's",
	POD_A SE("b", "e1", NEW, "[e.com]", P443) SE("c", "e2", OLD, "[e.com]", P443)
	    SC("istio-system", "s", "'*/e.com'"),
	IN_A, "e.com", "c/e2 443"},
    {"3.2a own before what nobody sees, under the root's",
	POD_A SE("b", "e1", OLD, "[e.com]", P443) SE("a", "e2", NEW, "[e.com]", P443)
	    SC("istio-system", "s", "'*/e.com'"),
	IN_A, "e.com", "a/e2 443"},
    {"3.2a private before what nobody sees, under the root's",
	POD_A SE("b", "e1", OLD, "[e.com]", P443) SE("c", "e2", NEW, "[e.com]",
	    P443 ", exportTo: [a]") SC("istio-system", "s", "'*/e.com'"),
	IN_A, "e.com", "c/e2 443"},
    {"3.2a own that is not imported, under the root's",
	POD_A SE("b", "e1", OLD, "[e.com]", P443) SE("a", "e2", NEW, "[e.com]", P443)
	    SC("istio-system", "s", "'b/*'"),
	IN_A, "e.com", "b/e1 443"},
    {"3.2a the own public one is what nobody sees, under the root's",
	POD_A SE("a", "e1", OLD, "[e.com]", P443) SE("b", "e2", NEW, "[e.com]", P443)
	    SC("istio-system", "s", "'*/e.com'"),
	IN_A, "e.com", "a/e1 443"},
    {"3.2a exact and wildcard are different hosts",
	POD_A SE("b", "e1", "", "['*.e.com']", P443) SE("c", "e2", "", "[x.e.com]", P80)
	    SC("a", "s", "'b/*'"),
	IN_A, "x.e.com", "b/e1 443"},
    {"3.2a own for who is under no Sidecar",
	POD_A SE("b", "e1", OLD, "[e.com]", P443) SE("a", "e2", NEW, "[e.com]", P443),
	IN_A, "e.com", "a/e2 443"},
    {"3.2a private before older public, without Sidecar",
	POD_A SE("b", "e1", OLD, "[e.com]", P443)
	    SE("c", "e2", NEW, "[e.com]", P443 ", exportTo: [a]"),
	IN_A, "e.com", "c/e2 443"},
    {"3.2a the oldest of two private, without Sidecar",
	POD_A SE("b", "e1", NEW, "[e.com]", P443 ", exportTo: [a]")
	    SE("c", "e2", OLD, "[e.com]", P443 ", exportTo: [a, c]"),
	IN_A, "e.com", "c/e2 443"},
};

/* What the verdict says, in the words of the tables. */
static void
describe(const struct verdict *v, char *buf, size_t size)
{
	size_t len;

	switch (v->kind) {
	case VERDICT_REFUSED:
		(void)snprintf(buf, size, "%s",
		    v->reason == REASON_NOT_EXPORTED   ? HIDDEN
		    : v->reason == REASON_NOT_IMPORTED ? NOT_IMPORTED
						       : NO);
		return;
	case VERDICT_PARENT:
		(void)snprintf(buf, size, PARENT);
		return;
	case VERDICT_ZONE:
		(void)snprintf(buf, size, ZONE);
		return;
	case VERDICT_OPEN:
		(void)snprintf(buf, size, OPEN);
		return;
	case VERDICT_HOST:
		break;
	}
	(void)snprintf(
	    buf, size, "%s/%s", v->host->source.namespace, v->host->source.name);
	for (size_t i = 0; i < v->host->port_count; i++) {
		len = strlen(buf);
		(void)snprintf(buf + len, size - len, "%s%u", i > 0 ? "," : " ",
		    v->host->ports[i].number);
	}
}

static bool
holds(const struct view_case *c)
{
	char text[256];
	struct verdict v;
	struct built b;

	if (built_from(&b, c->text) < 0) {
		print_error("%s: refused\n", c->title);
		built_print(&b);
		built_close(&b);
		return false;
	}
	v = built_judge(&b, c->pod, c->name);
	describe(&v, text, sizeof(text));
	if (strcmp(text, c->want) != 0)
		print_error("%s: %s, not %s\n", c->title, text, c->want);
	/* whoever hides an entry is named */
	if ((v.sidecar != NULL) != (v.reason == REASON_NOT_IMPORTED))
		print_error("%s: the Sidecar\n", c->title);
	built_close(&b);
	return strcmp(text, c->want) == 0;
}

static void
all_hold(const struct view_case *cases, size_t n)
{
	size_t failed = 0;

	for (size_t i = 0; i < n; i++)
		failed += case_failed("", cases[i].title, holds(&cases[i]));
	assert_int_equal(failed, 0);
}

static void
which_applies(void **state)
{
	(void)state;
	all_hold(choice, ARRAY_LEN(choice));
}

static void
what_it_imports(void **state)
{
	(void)state;
	all_hold(imports, ARRAY_LEN(imports));
}

static void
on_which_ports(void **state)
{
	(void)state;
	all_hold(ports, ARRAY_LEN(ports));
}

static void
which_definition(void **state)
{
	(void)state;
	all_hold(precedence, ARRAY_LEN(precedence));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_applies),
	    cmocka_unit_test(what_it_imports),
	    cmocka_unit_test(on_which_ports),
	    cmocka_unit_test(which_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
