#pragma once
// Small valid files of every format, made by the room's own writers: seeds of the fuzz targets and
// what the corrupted-file test damages.

#include "sosia/formats.hpp"

#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::fuzz {

using Samples = std::vector<std::string>;

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Text in which `zero` stands for the zero byte, which literals hold badly.
inline std::string with_zeros(std::string_view pattern, char zero) {
  std::string out(pattern);
  for (char& c : out) c = c == zero ? '\0' : c;
  return out;
}

inline Samples csv_samples() {
  std::string utf16 = "\xff\xfe";
  for (const char c : std::string_view("a;b\r\n1;x\r\n")) utf16 += {c, '\0'};
  return {
      "path,pid,cam,split\na/1.jpg,1,0,train\nb/2.jpg,-1,1,query\n\"c,\"\"3\"\".jpg\",2,,gallery\n",
      "a\tb\n0.5\t1e-3\r\n\r\n-7\tnan\n",
      "\xef\xbb\xbfname|score\nJos\xc3\xa9|1\n",
      "name,score\nJos\xe9,1\n",
      utf16,
      "a,b,same,fold\nx.jpg,y.jpg,1,0\nx.jpg,z.jpg,0,1\n",
      "one\n\"two\nlines\"\n",
  };
}

inline Samples npy_samples() {
  using namespace formats;
  const std::array<float, 6> floats{1, 2, 3, 4, 5, -6.5f};
  const std::array<std::int64_t, 2> integers{-1, 1};
  std::string fortran = npy_bytes(array_view(std::span<const float>(floats), {2, 3}));
  fortran.replace(fortran.find("False"), 5, "True ");
  std::string big = npy_bytes(array_view(std::span<const std::int64_t>(integers), {2}));
  big.replace(big.find("<i8"), 3, ">i8");
  // numpy.save(..., {"a": 7}): a scalar array of objects, as a pickle behind the head.
  std::string object = npy_bytes(array_view(std::span<const float>(floats).first(1), {}));
  object.resize(object.size() - sizeof(float));
  object.replace(object.find("<f4"), 3, "|O8");
  object += with_zeros(
      "\x80\x02"
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK~\x85U\x01"
      "b\x87R"
      "(K\x01)cnumpy\ndtype\nU\x02O8K~K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?"
      "tb"
      "\x89]}U\x01"
      "aK\x07satb.",
      '~');
  return {npy_bytes(array_view(std::span<const float>(floats), {2, 3})),
          npy_bytes(array_view(std::span<const std::int64_t>(integers).first(1), {})), fortran, big,
          object};
}

inline Samples zip_samples() {
  using namespace formats;
  const std::array<float, 6> floats{1, 2, 3, 4, 5, -6.5f};
  const std::vector<std::uint8_t> zeros(300);
  const NamedArrays arrays{{"a", array_view(std::span<const float>(floats), {3, 2})},
                           {"zeros", array_view(std::span<const std::uint8_t>(zeros), {300})}};
  return {npz_bytes(arrays), npz_bytes(arrays, true), npz_bytes({})};
}

inline Samples safetensors_samples() {
  using namespace formats;
  const std::array<float, 6> floats{1, 2, 3, 4, 5, -6.5f};
  const std::array<std::uint16_t, 2> halves{0x3c00, 0xc000};
  ArrayView half = array_view(std::span<const std::uint16_t>(halves), {2});
  half.dtype = DType::f16;
  return {safetensors_bytes({{"w", array_view(std::span<const float>(floats), {2, 3})},
                             {"h", half},
                             {"empty", array_view(std::span<const float>(), {0, 3})}},
                            {{"format", "pt"}, {"note", "\"\xc3\xa9\"\n"}}),
          safetensors_bytes({})};
}

inline std::vector<std::string> small_images() {
  std::vector<std::string> images;
  for (int i = 0; i < 4; ++i) {
    images.push_back("\xff\xd8 image " + std::to_string(i) + std::string(3 * i, '.') + "\xff\xd9");
  }
  return images;
}

inline Samples verification_samples() {
  using namespace formats;
  const std::vector<std::string> images = small_images();
  std::vector<std::span<const std::byte>> spans;
  for (const std::string& image : images) spans.push_back(bytes_of(image));
  return {verification_bin_bytes(spans, {true, false}, VerificationFlavour::numpy),
          verification_bin_bytes(spans, {true, false}, VerificationFlavour::bytes)};
}

inline Samples pickle_samples() {
  Samples out = verification_samples();
  // Protocol 0: {'a': [1, -2.5, None, True, 'x\\x00'], u'\\xe9': (7L,)} with memo and escapes.
  out.push_back(
      "(dp0\nS'a'\np1\n(lp2\nI1\naF-2.5\naNaI01\naS'x\\x00\\n\\'\\101'\nasV\\u00e9\np3\n("
      "L7L\ntp4\ns.");
  // Protocol 4 with a frame, MEMOIZE and STACK_GLOBAL.
  out.push_back(
      with_zeros("\x80\x04\x95\x1e~~~~~~~\x8c\x05numpy\x94\x8c\x05"
                 "dtype\x94\x93\x94"
                 "\x8c\x02"
                 "f4\x94\x89\x88\x87\x94R\x94.",
                 '~'));
  // A PyTorch-like object with a persistent id.
  out.push_back(
      with_zeros("\x80\x02"
                 "ccollections\nOrderedDict\nq~)Rq\x01X\x01~~~wq\x02"
                 "ctorch._utils\n_rebuild_tensor_v2\nq\x03((X\x07~~~storagectorch\n"
                 "FloatStorage\nX\x01~~~0X\x03~~~cpuK\x06tQK~K\x03K\x02\x86K\x02K\x01\x86"
                 "\x89h~)RtRs}X\x01~~~mK\x01sb.",
                 '~'));
  return out;
}

inline Samples recordio_samples() {
  using namespace formats;
  std::string rec;
  const float totals[] = {4, 6};
  const float first[] = {1, 3};
  const float second[] = {3, 4};
  append_record(rec, bytes_of(labels_payload(totals, 0)));
  append_record(rec, bytes_of(image_payload(0, 1, bytes_of("\xff\xd8 one"))));
  // The magic number inside an image splits the record.
  append_record(rec, bytes_of(image_payload(0, 2, bytes_of("abcd\x0a\x23\xd7\xce tail"))));
  append_record(rec, bytes_of(image_payload(1, 3, bytes_of("three"))));
  append_record(rec, bytes_of(labels_payload(first, 4)));
  append_record(rec, bytes_of(labels_payload(second, 5)));
  return {rec, rec.substr(0, rec.size() / 2)};
}

inline Samples list_samples() {
  return {
      "2\t1\nAnn\t1\t2\nAnn\t1\tBob_Lee\t3\nBob_Lee\t1\t2\nCat\t1\tAnn\t2\n",
      "1\nAnn 1 2\nAnn 1 Bob 3\n",
      "a.jpg b.jpg 1\nc.jpg d.jpg 0\n",
      "# pairs\nx\ty z\n\nz\tw\n",
      "img/1.jpg 1 7\nimg/2.jpg 1 7\n",
      "1 2 1\n1 3 0\n",
      "0000/0000_000_01_0303morning_0015_0.jpg 0\n0001/0001_003_14_0113noon_0038_1.jpg 1\n",
      "0\t0\n1\t52\n2\t104\n",
      "0001_c1s1_001051_00.jpg\n-1_c3s2_000001_00.jpg\n0001_c2_f0046182.jpg\n094_1_c9_015833.png\n",
  };
}

}  // namespace sosia::fuzz
