#include "gallery/sealer.hpp"

#include "gallery/bytes.hpp"
#include "gallery/system.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <sodium.h>

namespace sosia::gallery {

namespace {

constexpr std::size_t kSecretBytes = 32;

void start_sodium() {
  if (sodium_init() < 0) throw Error(ErrorCode::internal, "libsodium cannot be started");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The secret behind 64 hexadecimal digits; empty when it is something else.
std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  if (text.size() != 2 * kSecretBytes) return bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

Key derive(std::span<const std::uint8_t> secret, std::string_view gallery_id,
           std::uint64_t number) {
  const auto of_gallery = keyed_hash(secret, as_bytes(gallery_id), 32);
  Key key{};
  crypto_kdf_derive_from_key(key.data(), key.size(), number, "sosiagal",
                             reinterpret_cast<const unsigned char*>(of_gallery.data()));
  return key;
}

std::vector<std::byte> associated_data(const FieldPlace& place) {
  ByteWriter writer;
  writer.text(place.table).text(place.column).number(place.row);
  return {writer.view().begin(), writer.view().end()};
}

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;

}  // namespace

Secret Secret::from_file(const std::string& path) {
  std::vector<std::byte> content = read_file(path, 1 << 12);
  Secret secret;
  if (content.size() == kSecretBytes) {
    secret.bytes_.resize(kSecretBytes);
    std::memcpy(secret.bytes_.data(), content.data(), kSecretBytes);
  } else {
    secret.bytes_ = from_hex(trim(as_text(content)));
  }
  sodium_memzero(content.data(), content.size());
  if (secret.bytes_.empty()) {
    throw Error(ErrorCode::invalid_argument,
                quote(path, 200) + " is no key: it must hold 32 bytes or 64 hexadecimal digits",
                "make one: head -c 32 /dev/urandom > key");
  }
  return secret;
}

Secret Secret::from_environment() {
  Secret secret;
  const char* text = std::getenv("SOSIA_GALLERY_KEY");
  if (text == nullptr || *text == '\0') return secret;
  secret.bytes_ = from_hex(trim(text));
  if (secret.bytes_.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "SOSIA_GALLERY_KEY is no key: it must be 64 hexadecimal digits",
                "make one: od -An -tx1 -N32 /dev/urandom | tr -d ' \\n'");
  }
  return secret;
}

Secret::~Secret() {
  if (!bytes_.empty()) sodium_memzero(bytes_.data(), bytes_.size());
}

std::vector<std::byte> random_bytes(std::size_t size) {
  start_sodium();
  std::vector<std::byte> bytes(size);
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

Key random_key() {
  start_sodium();
  Key key{};
  randombytes_buf(key.data(), key.size());
  return key;
}

std::vector<std::byte> keyed_hash(std::span<const std::uint8_t> key,
                                  std::span<const std::byte> bytes, std::size_t size) {
  start_sodium();
  std::vector<std::byte> hash(size);
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), size, raw(bytes), bytes.size(),
                     key.data(), key.size());
  return hash;
}

Sealer::Sealer(std::string_view gallery_id) {
  start_sodium();
  const auto id = keyed_hash({}, as_bytes(gallery_id), lookup_key_.size());
  std::memcpy(lookup_key_.data(), id.data(), lookup_key_.size());
}

Sealer::Sealer(std::string_view gallery_id, const Secret& secret) : encrypts_(true) {
  start_sodium();
  seal_key_ = derive(secret.bytes(), gallery_id, 1);
  lookup_key_ = derive(secret.bytes(), gallery_id, 2);
}

Sealer::~Sealer() {
  sodium_memzero(seal_key_.data(), seal_key_.size());
  sodium_memzero(lookup_key_.data(), lookup_key_.size());
}

std::size_t Sealer::overhead() const noexcept {
  return encrypts_ ? kNonce + kTag : 0;
}

std::vector<std::byte> Sealer::seal(const FieldPlace& place,
                                    std::span<const std::byte> plain) const {
  if (!encrypts_) return {plain.begin(), plain.end()};
  std::vector<std::byte> sealed(kNonce + plain.size() + kTag);
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(out, kNonce);
  const auto data = associated_data(place);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kNonce, nullptr, raw(plain), plain.size(),
                                             raw(data), data.size(), nullptr, out,
                                             seal_key_.data());
  return sealed;
}

std::vector<std::byte> Sealer::open(const FieldPlace& place,
                                    std::span<const std::byte> sealed) const {
  if (!encrypts_) return {sealed.begin(), sealed.end()};
  const auto refuse = [&] {
    return Error(ErrorCode::corrupt_data,
                 "a sealed field was altered: " + std::string(place.table) + "." +
                     std::string(place.column) + " of row " + std::to_string(place.row));
  };
  if (sealed.size() < kNonce + kTag) throw refuse();
  std::vector<std::byte> plain(sealed.size() - kNonce - kTag);
  const auto data = associated_data(place);
  const int result = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, raw(sealed) + kNonce,
      sealed.size() - kNonce, raw(data), data.size(), raw(sealed), seal_key_.data());
  if (result != 0) throw refuse();
  return plain;
}

std::vector<std::byte> Sealer::lookup(std::string_view tenant, std::string_view label) const {
  ByteWriter writer;
  writer.text(tenant).text(label);
  return keyed_hash(lookup_key_, writer.view(), 16);
}

}  // namespace sosia::gallery
