#include "zip_reader.hpp"

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "archive.hpp"
#include "error.hpp"
#include "json_text.hpp"

namespace hybrid {

namespace {

using OpenEntry = std::unique_ptr<zip_file_t, int (*)(zip_file_t *)>;

struct FreeDigest {
  void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }

  void add(const char *bytes, size_t count) {
    require(EVP_DigestUpdate(context_.get(), bytes, count) == 1);
  }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int length = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
    constexpr const char *digits = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
      text += digits[digest[i] >> 4];
      text += digits[digest[i] & 15];
    }
    return text;
  }

 private:
  static void require(bool worked) {
    if (!worked) throw Error(HYBRID_ERROR_INTERNAL, "SHA-256 is not available");
  }
  std::unique_ptr<EVP_MD_CTX, FreeDigest> context_;
};

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

// TorchScript stores and deflates; other methods of zip files can ask for gigabytes to unfold.
void check_method(const std::string &label, const zip_stat_t &stat, const std::string &name) {
  const bool known = (stat.valid & ZIP_STAT_COMP_METHOD) && (stat.valid & ZIP_STAT_SIZE) &&
                     (stat.comp_method == ZIP_CM_STORE || stat.comp_method == ZIP_CM_DEFLATE);
  const bool open =
      !(stat.valid & ZIP_STAT_ENCRYPTION_METHOD) || stat.encryption_method == ZIP_EM_NONE;
  if (!known || !open)
    throw Error(HYBRID_ERROR_ARCHIVE,
                label + ": entry " + printable(name) +
                    ": expected it stored or deflated and not encrypted, got another method; " +
                    "write the archive with hybrid.export");
}

}  // namespace

ZipReader::ZipReader(std::string label, std::string_view file, uint64_t allowance)
    : label_(std::move(label)), file_(file), places_(zip_places(file)), allowance_(allowance) {
  if (file.empty())
    throw Error(HYBRID_ERROR_ARCHIVE, label_ + ": expected a closure archive, got an empty file");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(file.data(), file.size(), 0, &error);
  zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!zip) {
    const std::string reason = zip_error_strerror(&error);
    if (source) zip_source_free(source);
    zip_error_fini(&error);
    throw Error(HYBRID_ERROR_ARCHIVE, label_ + ": expected a closure archive, got a file that is " +
                                          "not one (" + reason + "); write it with hybrid.export");
  }
  zip_error_fini(&error);
  zip_.reset(zip);
}

uint64_t ZipReader::count() const {
  return static_cast<uint64_t>(zip_get_num_entries(zip_.get(), 0));
}

std::string ZipReader::name(uint64_t index) const {
  const char *raw = zip_get_name(zip_.get(), index, 0);
  const std::string name = raw ? raw : "";
  const auto slash = name.find('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

uint64_t ZipReader::size(uint64_t index) const { return stat(index).size; }

ZipReader::Entry ZipReader::read(uint64_t index, bool keep) {
  const auto stat = this->stat(index);
  const OpenEntry file(zip_fopen_index(zip_.get(), index, 0), zip_fclose);
  Entry entry;
  Sha256 hash;
  // Read to its end whatever the header says: headers can lie about the size.
  std::array<char, 1 << 16> chunk;
  zip_int64_t count = -1;
  while (file && (count = zip_fread(file.get(), chunk.data(), chunk.size())) > 0) {
    const auto length = static_cast<size_t>(count);
    spend(length, index);
    entry.size += length;
    if (keep && entry.size > largest_json)
      throw Error(HYBRID_ERROR_ARCHIVE, label_ + ": entry " + printable(name(index)) +
                                            ": expected at most " +
                                            std::to_string(largest_json >> 20) +
                                            " MiB, got more; export the closure again");
    hash.add(chunk.data(), length);
    if (keep) entry.content.append(chunk.data(), length);
  }
  if (!file || count < 0 || entry.size != stat.size)
    throw Error(HYBRID_ERROR_ARCHIVE, label_ + ": entry " + printable(name(index)) +
                                          " is damaged (its checksum does not match); copy or " +
                                          "export the archive again");
  entry.hash = hash.hex();
  return entry;
}

void ZipReader::unfold(uint64_t index, char *to, uint64_t size) {
  const OpenEntry file(zip_fopen_index(zip_.get(), index, 0), zip_fclose);
  if (!file || zip_fread(file.get(), to, size) != static_cast<zip_int64_t>(size))
    throw Error(HYBRID_ERROR_INTERNAL, name(index) + ": could not be read a second time");
}

uint64_t ZipReader::find(uint64_t index, const std::string &hash) {
  const auto stat = this->stat(index);
  if (stat.comp_method != ZIP_CM_STORE || index >= places_.size()) return no_place;
  const uint64_t first = places_[index];
  if (first > file_.size() || stat.size > file_.size() - first) return no_place;
  spend(stat.size, index);
  return sha256(file_.substr(first, stat.size)) == hash ? first : no_place;
}

zip_stat_t ZipReader::stat(uint64_t index) const {
  zip_stat_t stat;
  if (zip_stat_index(zip_.get(), index, 0, &stat) != 0)
    throw Error(HYBRID_ERROR_ARCHIVE, label_ + ": entry " + printable(name(index)) + " is damaged");
  check_method(label_, stat, name(index));
  return stat;
}

void ZipReader::spend(uint64_t length, uint64_t index) {
  if (length > allowance_)
    throw Error(HYBRID_ERROR_ARCHIVE, label_ + ": expected entries that unfold to at most " +
                                          std::to_string(most_unfolding) + " times the file and " +
                                          std::to_string(unfolding_allowance >> 20) +
                                          " MiB, got more at " + printable(name(index)) +
                                          "; do not use this file");
  allowance_ -= length;
}

}  // namespace hybrid
