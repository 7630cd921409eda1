#include "archive.hpp"

#include <openssl/evp.h>
#include <zip.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <system_error>

#include "error.hpp"
#include "json_text.hpp"
#include "zip_places.hpp"

namespace hybrid {

namespace {

constexpr const char *manifest_name = "extra/hybrid.json";
constexpr const char *hashes_name = "extra/hybrid.sha256.json";

struct CloseZip {
  void operator()(zip_t *zip) const { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, CloseZip>;
using OpenEntry = std::unique_ptr<zip_file_t, int (*)(zip_file_t *)>;

std::vector<char> read_file(const std::string &path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(HYBRID_ERROR_FILE, path + ": expected an archive file, got a folder");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto end = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (!file || end < 0)
    throw Error(HYBRID_ERROR_FILE, path + ": expected a readable archive file, got '" +
                                       std::strerror(errno ? errno : ENOENT) + "'; check the path");
  std::vector<char> bytes(static_cast<size_t>(end));
  file.seekg(0);
  if (!file.read(bytes.data(), end))
    throw Error(HYBRID_ERROR_FILE, path + ": could not be read to its end");
  return bytes;
}

Zip open_zip(const std::string &path, const std::vector<char> &bytes) {
  if (bytes.empty())
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": expected a closure archive, got an empty file");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!zip) {
    const std::string reason = zip_error_strerror(&error);
    if (source) zip_source_free(source);
    zip_error_fini(&error);
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": expected a closure archive, got a file that is " +
                                          "not one (" + reason + "); write it with hybrid.export");
  }
  zip_error_fini(&error);
  return Zip(zip);
}

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

struct Entry {
  std::string hash;
  std::string content;  // empty unless it was asked for
  uint64_t size = 0;
  bool is_stored = false;  // at the place that was guessed
};

constexpr uint64_t no_place = std::numeric_limits<uint64_t>::max();

// Whether these bytes lie in the file at this place.
bool lie_at(const std::vector<char> &file, uint64_t place, const char *bytes, size_t count) {
  return place <= file.size() && count <= file.size() - place &&
         std::memcmp(file.data() + place, bytes, count) == 0;
}

// TorchScript stores and deflates; other methods of zip files can ask for gigabytes to unfold.
void check_method(const std::string &path, const zip_stat_t &stat, const std::string &name) {
  const bool known = (stat.valid & ZIP_STAT_COMP_METHOD) && (stat.valid & ZIP_STAT_SIZE) &&
                     (stat.comp_method == ZIP_CM_STORE || stat.comp_method == ZIP_CM_DEFLATE);
  const bool open =
      !(stat.valid & ZIP_STAT_ENCRYPTION_METHOD) || stat.encryption_method == ZIP_EM_NONE;
  if (!known || !open)
    throw Error(HYBRID_ERROR_ARCHIVE,
                path + ": entry " + printable(name) +
                    ": expected it stored or deflated and not encrypted, got another method; " +
                    "write the archive with hybrid.export");
}

// Reads and hashes one entry and takes what it unfolds to from `allowance` [bytes]. Its content may
// lie in the file at `place`.
Entry read_entry(const std::string &path, zip_t *zip, zip_uint64_t index, const std::string &name,
                 bool keep, uint64_t &allowance, const std::vector<char> &bytes, uint64_t place) {
  zip_stat_t stat;
  if (zip_stat_index(zip, index, 0, &stat) != 0)
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + printable(name) + " is damaged");
  check_method(path, stat, name);
  const OpenEntry file(zip_fopen_index(zip, index, 0), zip_fclose);
  Entry entry;
  entry.is_stored = place != no_place;
  Sha256 hash;
  uint64_t &size = entry.size;
  // Read to its end whatever the header says: headers can lie about the size.
  std::array<char, 1 << 16> chunk;
  zip_int64_t count = -1;
  while (file && (count = zip_fread(file.get(), chunk.data(), chunk.size())) > 0) {
    const auto length = static_cast<size_t>(count);
    if (length > allowance)
      throw Error(HYBRID_ERROR_ARCHIVE,
                  path + ": expected entries that unfold to at most " +
                      std::to_string(most_unfolding) + " times the file and " +
                      std::to_string(unfolding_allowance >> 20) + " MiB, got more at " +
                      printable(name) + "; do not use this file");
    allowance -= length;
    // No more than libzip itself reads is believed.
    if (entry.is_stored) entry.is_stored = lie_at(bytes, place + size, chunk.data(), length);
    size += length;
    if (keep && size > largest_json)
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + printable(name) +
                                            ": expected at most " +
                                            std::to_string(largest_json >> 20) +
                                            " MiB, got more; export the closure again");
    hash.add(chunk.data(), length);
    if (keep) entry.content.append(chunk.data(), length);
  }
  if (!file || count < 0 || size != stat.size)
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + printable(name) +
                                          " is damaged (its checksum does not match); copy or " +
                                          "export the archive again");
  entry.hash = hash.hex();
  return entry;
}

// TorchScript puts all entries below one folder named after the file it was first saved to.
std::string without_folder(const std::string &name) {
  const auto slash = name.find('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

void verify(const std::string &path, const std::map<std::string, std::string> &found,
            const std::string &hashes) {
  std::map<std::string, std::string> expected;
  try {
    parse_json(hashes).at("entries").get_to(expected);
  } catch (const nlohmann::json::exception &) {
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": the list of hashes does not read as one");
  }
  for (const auto &[name, hash] : found) {
    const auto entry = expected.find(name);
    if (entry == expected.end())
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + printable(name) +
                                            " is not in the list of hashes; it was added after " +
                                            "the export: do not use this file");
    if (entry->second != hash)
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + printable(name) +
                                            ": expected SHA-256 " + printable(entry->second) +
                                            ", got " + hash +
                                            "; the file was changed after the export");
  }
  for (const auto &[name, hash] : expected)
    if (!found.count(name))
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + printable(name) + " is missing");
}

}  // namespace

Archive read_archive(const std::string &path) { return read_archive(read_file(path), path); }

Archive read_archive(std::vector<char> bytes, const std::string &label) {
  Archive archive;
  archive.bytes = std::move(bytes);
  const Zip zip = open_zip(label, archive.bytes);
  uint64_t allowance = most_unfolding * archive.bytes.size() + unfolding_allowance;
  std::map<std::string, std::string> found;
  std::string hashes;
  const auto count = zip_get_num_entries(zip.get(), 0);
  const auto places = zip_places(archive.bytes);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char *raw = zip_get_name(zip.get(), index, 0);
    const std::string name = without_folder(raw ? raw : "");
    const bool keep = name == hashes_name || name == manifest_name;
    const uint64_t place = index < places.size() ? places[index] : no_place;
    Entry entry = read_entry(label, zip.get(), index, name, keep, allowance, archive.bytes, place);
    if (name == hashes_name) {
      if (!hashes.empty()) throw Error(HYBRID_ERROR_ARCHIVE, label + ": two lists of hashes");
      hashes = std::move(entry.content);
      continue;
    }
    if (!found.emplace(name, std::move(entry.hash)).second)
      throw Error(HYBRID_ERROR_ARCHIVE, label + ": entry " + printable(name) + " appears twice");
    archive.entries[name] = {index, place, entry.size, entry.is_stored};
    if (name == manifest_name) archive.manifest = std::move(entry.content);
  }
  if (archive.manifest.empty() || hashes.empty())
    throw Error(HYBRID_ERROR_ARCHIVE,
                label + ": expected " + manifest_name + " and " + hashes_name +
                    " inside, got a zip file without them; a plain TorchScript file must be " +
                    "exported with hybrid.export first");
  verify(label, found, hashes);
  return archive;
}

bool EntryReader::find(const std::string &name, std::string_view &content) {
  const auto entry = archive_->entries.find(name);
  if (entry == archive_->entries.end()) return false;
  const auto &place = entry->second;
  if (place.is_stored) {
    content = {archive_->bytes.data() + place.first, place.size};
    return true;
  }
  const auto [kept, is_new] = unfolded_.try_emplace(name, place.size);
  auto &bytes = kept->second;
  if (is_new) {
    const Zip zip = open_zip(name, archive_->bytes);
    const OpenEntry file(zip_fopen_index(zip.get(), place.index, 0), zip_fclose);
    const auto size = static_cast<zip_int64_t>(place.size);
    if (!file || zip_fread(file.get(), bytes.data(), place.size) != size)
      throw Error(HYBRID_ERROR_INTERNAL, name + ": could not be read a second time");
  }
  content = {bytes.data(), bytes.size()};
  return true;
}

}  // namespace hybrid
