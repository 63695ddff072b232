/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml/word.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORD(text)                                                                       \
	{                                                                                \
		sizeof(text) - 1, text                                                   \
	}

static const struct word {
	size_t len;
	const char *text;
} words[] = {
    WORD("*"),
    WORD("."),
    WORD("80"),
    WORD("ip"),
    WORD("to"),
    WORD("v1"),
    WORD("443"),
    WORD("DNS"),
    WORD("Pod"),
    WORD("TCP"),
    WORD("TLS"),
    WORD("UDP"),
    WORD("app"),
    WORD("env"),
    WORD("key"),
    WORD("uid"),
    WORD("GRPC"),
    WORD("HTTP"),
    WORD("Helm"),
    WORD("IPv4"),
    WORD("IPv6"),
    WORD("List"),
    WORD("NONE"),
    WORD("None"),
    WORD("bind"),
    WORD("grpc"),
    WORD("http"),
    WORD("kind"),
    WORD("mode"),
    WORD("name"),
    WORD("port"),
    WORD("spec"),
    WORD("tags"),
    WORD("team"),
    WORD("tier"),
    WORD("true"),
    WORD("type"),
    WORD("HTTP2"),
    WORD("HTTPS"),
    WORD("MONGO"),
    WORD("MYSQL"),
    WORD("REDIS"),
    WORD("false"),
    WORD("hosts"),
    WORD("https"),
    WORD("items"),
    WORD("match"),
    WORD("phase"),
    WORD("podIP"),
    WORD("ports"),
    WORD("ready"),
    WORD("STATIC"),
    WORD("egress"),
    WORD("labels"),
    WORD("number"),
    WORD("podIPs"),
    WORD("region"),
    WORD("status"),
    WORD("weight"),
    WORD("Cluster"),
    WORD("Running"),
    WORD("Service"),
    WORD("Sidecar"),
    WORD("address"),
    WORD("default"),
    WORD("ingress"),
    WORD("network"),
    WORD("serving"),
    WORD("exportTo"),
    WORD("locality"),
    WORD("location"),
    WORD("metadata"),
    WORD("nodeName"),
    WORD("protocol"),
    WORD("selector"),
    WORD("ALLOW_ANY"),
    WORD("ClusterIP"),
    WORD("Namespace"),
    WORD("addresses"),
    WORD("clusterIP"),
    WORD("endpoints"),
    WORD("namespace"),
    WORD("targetRef"),
    WORD("apiVersion"),
    WORD("clusterIPs"),
    WORD("conditions"),
    WORD("generation"),
    WORD("ipFamilies"),
    WORD("resolution"),
    WORD("targetPort"),
    WORD("DYNAMIC_DNS"),
    WORD("SingleStack"),
    WORD("addressType"),
    WORD("annotations"),
    WORD("captureMode"),
    WORD("hostNetwork"),
    WORD("terminating"),
    WORD("ExternalName"),
    WORD("ServiceEntry"),
    WORD("externalName"),
    WORD("loadBalancer"),
    WORD("EndpointSlice"),
    WORD("MESH_EXTERNAL"),
    WORD("MESH_INTERNAL"),
    WORD("REGISTRY_ONLY"),
    WORD("WorkloadEntry"),
    WORD("helm.sh/chart"),
    WORD("managedFields"),
    WORD("ipFamilyPolicy"),
    WORD("serviceAccount"),
    WORD("DNS_ROUND_ROBIN"),
    WORD("defaultEndpoint"),
    WORD("ownerReferences"),
    WORD("resourceVersion"),
    WORD("sessionAffinity"),
    WORD("subjectAltNames"),
    WORD("workloadSelector"),
    WORD("creationTimestamp"),
    WORD("discovery.k8s.io/v1"),
    WORD("internalTrafficPolicy"),
    WORD("outboundTrafficPolicy"),
    WORD("app.kubernetes.io/name"),
    WORD("networking.istio.io/v1"),
    WORD("app.kubernetes.io/part-of"),
    WORD("app.kubernetes.io/version"),
    WORD("meta.helm.sh/release-name"),
    WORD("app.kubernetes.io/instance"),
    WORD("kubernetes.io/service-name"),
    WORD("app.kubernetes.io/component"),
    WORD("kubernetes.io/metadata.name"),
    WORD("networking.istio.io/v1beta1"),
    WORD("app.kubernetes.io/managed-by"),
    WORD("argocd.argoproj.io/sync-wave"),
    WORD("networking.istio.io/v1alpha3"),
    WORD("argocd.argoproj.io/tracking-id"),
    WORD("meta.helm.sh/release-namespace"),
    WORD("kustomize.toolkit.fluxcd.io/name"),
    WORD("kustomize.toolkit.fluxcd.io/namespace"),
    WORD("kubectl.kubernetes.io/last-applied-configuration"),
};

static_assert(ARRAY_LEN(words) <= WORD_NONE, "the index of a word is one byte");

static int
compare(const void *key, const void *element)
{
	const struct word *k = key, *w = element;

	if (k->len != w->len)
		return k->len < w->len ? -1 : 1;
	return memcmp(k->text, w->text, w->len);
}

uint8_t
word_find(const char *text, size_t len)
{
	const struct word key = {len, text}, *found;

	found = bsearch(&key, words, ARRAY_LEN(words), sizeof(words[0]), compare);
	return found != NULL ? (uint8_t)(found - words) : WORD_NONE;
}

const char *
word_text(uint8_t i)
{
	return i < ARRAY_LEN(words) ? words[i].text : NULL;
}
