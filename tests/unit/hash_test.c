/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vectors come from another implementation of SipHash, written after the paper; with
 * 2 and 4 rounds it gives the paper's own result (appendix A), and the low halves of the
 * 64 below are the Linux kernel's for 1 and 3 rounds (lib/test_siphash.c).
 */
#include "tests/unit/unit.h"

#include "base/hash.h"
#include "base/macros.h"

/* Key bytes 00 to 0f; input n is the n bytes 00, 01, 02, ... */
static const struct hash_key vector_key = {
    {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL}};
static const uint64_t vectors[64] = {
    0xabac0158050fc4dc,
    0xc9f49bf37d57ca93,
    0x82cb9b024dc7d44d,
    0x8bf80ab8e7ddf7fb,
    0xcf75576088d38328,
    0xdef9d52f49533b67,
    0xc50d2b50c59f22a7,
    0xd3927d989bb11140,
    0x369095118d299a8e,
    0x25a48eb36c063de4,
    0x79de85ee92ff097f,
    0x70c118c1f94dc352,
    0x78a384b157b4d9a2,
    0x306f760c1229ffa7,
    0x605aa111c0f95d34,
    0xd320d86d2a519956,
    0xcc4fdd1a7d908b66,
    0x9cf2689063dbd80c,
    0x8ffc389cb473e63e,
    0xf21f9de58d297d1c,
    0xc0dc2f46a6cce040,
    0xb992abfe2b45f844,
    0x7ffe7b9ba320872e,
    0x525a0e7fdae6c123,
    0xf464aeb267349c8c,
    0x45cd5928705b0979,
    0x3a3e35e3ca9913a5,
    0xa91dc74e4ade3b35,
    0xfb0bed02ef6cd00d,
    0x88d93cb44ab1e1f4,
    0x540f11d643c5e663,
    0x2370dd1f8c21d1bc,
    0x81157b6c16a7b60d,
    0x4d54b9e57a8ff9bf,
    0x759f12781f2a753e,
    0xcea1a3bebf186b91,
    0x2cf508d3ada26206,
    0xb6101c2da3c33057,
    0xb3f47496ae3a36a1,
    0x626b57547b108392,
    0xc1d2363299e41531,
    0x667cc1923f1ad944,
    0x65704ffec8138825,
    0x24f280d1c28949a6,
    0xc2ca1cedfaf8876b,
    0xc2164bfc9f042196,
    0xa16e9c9368b1d623,
    0x49fb169c8b5114fd,
    0x9f3143f8df074c46,
    0xc6fdaf2412cc86b3,
    0x7eaf49d10a52098f,
    0x1cf313559d292f9a,
    0xc44a30dda2f41f12,
    0x36fae98943a71ed0,
    0x318fb34c73f0bce6,
    0xa27abf3670a7e980,
    0xb4bcc0db243c6d75,
    0x23f8d852fdb71513,
    0x8f035f4da67d8a08,
    0xd89cd0e5b7e8f148,
    0xf6f4e6bcf7a644ee,
    0xaec59ad80f1837f2,
    0xc3b2f6154b6694e0,
    0x9d199062b7bbb3a8,
};
static const uint64_t vector_256 = 0x75b3e64e167de370;
static const uint64_t vector_1000 = 0x2cf8d9d4f270cadf;
static const uint64_t vector_zero_key = 0xd1fba762150c532c;
static const uint64_t vector_ones_key = 0xcddba54c0805abb4;

static void
input_fill(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)i;
}

static void
every_length_up_to_63_gives_the_vector(void **state)
{
	uint8_t data[64];

	(void)state;
	input_fill(data, sizeof(data));
	for (size_t len = 0; len < ARRAY_LEN(vectors); len++)
		assert_int_equal(hash_bytes(&vector_key, data, len), vectors[len]);
}

static void
length_counts_modulo_256_as_the_paper_says(void **state)
{
	uint8_t data[1000];

	(void)state;
	input_fill(data, sizeof(data));
	assert_int_equal(hash_bytes(&vector_key, data, 256), vector_256);
	assert_int_equal(hash_bytes(&vector_key, data, 1000), vector_1000);
}

static void
key_of_all_zeros_or_ones_works(void **state)
{
	struct hash_key zero = {{0, 0}};
	struct hash_key ones = {{UINT64_MAX, UINT64_MAX}};

	(void)state;
	assert_int_equal(hash_bytes(&zero, "", 0), vector_zero_key);
	assert_int_equal(hash_bytes(&ones, "a", 1), vector_ones_key);
}

static void
alignment_of_the_input_changes_nothing(void **state)
{
	uint8_t data[64 + 8];

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		input_fill(data + shift, 63);
		assert_int_equal(hash_bytes(&vector_key, data + shift, 63), vectors[63]);
	}
}

static void
each_bit_of_key_and_input_matters(void **state)
{
	uint8_t data[16];
	uint64_t plain;

	(void)state;
	input_fill(data, sizeof(data));
	plain = hash_bytes(&vector_key, data, sizeof(data));
	for (unsigned bit = 0; bit < 128; bit++) {
		struct hash_key key = vector_key;

		key.k[bit / 64] ^= (uint64_t)1 << bit % 64;
		assert_int_not_equal(hash_bytes(&key, data, sizeof(data)), plain);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(hash_bytes(&vector_key, data, sizeof(data)), plain);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
trailing_zero_bytes_are_not_padding(void **state)
{
	uint8_t zeros[16] = {0};

	(void)state;
	for (size_t a = 0; a < sizeof(zeros); a++)
		for (size_t b = a + 1; b <= sizeof(zeros); b++)
			assert_int_not_equal(hash_bytes(&vector_key, zeros, a),
			    hash_bytes(&vector_key, zeros, b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_length_up_to_63_gives_the_vector),
	    cmocka_unit_test(length_counts_modulo_256_as_the_paper_says),
	    cmocka_unit_test(key_of_all_zeros_or_ones_works),
	    cmocka_unit_test(alignment_of_the_input_changes_nothing),
	    cmocka_unit_test(each_bit_of_key_and_input_matters),
	    cmocka_unit_test(trailing_zero_bytes_are_not_padding),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
