#include "sealed.hpp"

#include <openssl/evp.h>
#include <zip.h>

#include <array>
#include <cstdlib>

namespace {

void require(bool worked) {
  if (!worked) std::abort();
}

std::string sha256(const std::string &content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  require(EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(),
                     nullptr) == 1);
  std::string text;
  for (unsigned int i = 0; i < length; ++i)
    for (const int shift : {4, 0}) text += "0123456789abcdef"[digest[i] >> shift & 15];
  return text;
}

void add(zip_t *zip, const char *name, const std::string &content) {
  zip_source_t *source = zip_source_buffer(zip, content.data(), content.size(), 0);
  const zip_int64_t index = source ? zip_file_add(zip, name, source, 0) : -1;
  require(index >= 0);
  require(zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0) == 0);
}

}  // namespace

std::vector<char> sealed(const std::string &manifest) {
  const std::string hashes = R"({"entries": {"extra/hybrid.json": ")" + sha256(manifest) + "\"}}";
  zip_source_t *memory = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  require(memory);
  zip_source_keep(memory);
  zip_t *zip = zip_open_from_source(memory, ZIP_TRUNCATE, nullptr);
  require(zip);
  add(zip, "stub/extra/hybrid.json", manifest);
  add(zip, "stub/extra/hybrid.sha256.json", hashes);
  require(zip_close(zip) == 0 && zip_source_open(memory) == 0);
  require(zip_source_seek(memory, 0, SEEK_END) == 0);
  std::vector<char> bytes(static_cast<size_t>(zip_source_tell(memory)));
  require(zip_source_seek(memory, 0, SEEK_SET) == 0);
  require(zip_source_read(memory, bytes.data(), bytes.size()) ==
          static_cast<zip_int64_t>(bytes.size()));
  zip_source_close(memory);
  zip_source_free(memory);
  return bytes;
}
