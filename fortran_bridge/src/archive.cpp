#include "archive.hpp"

#include <openssl/evp.h>
#include <zip.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "error.hpp"

namespace hybrid {

namespace {

constexpr const char *manifest_name = "extra/hybrid.json";
constexpr const char *hashes_name = "extra/hybrid.sha256.json";
constexpr zip_uint64_t largest_entry = zip_uint64_t{1} << 34;

struct CloseZip {
  void operator()(zip_t *zip) const { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, CloseZip>;

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
  if (bytes.empty())
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": expected a closure archive, got an empty file");
  return bytes;
}

Zip open_zip(const std::string &path, const std::vector<char> &bytes) {
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

std::string read_entry(const std::string &path, zip_t *zip, zip_uint64_t index,
                       const std::string &name) {
  zip_stat_t stat;
  if (zip_stat_index(zip, index, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) ||
      stat.size > largest_entry)
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + name + " has no sensible size");
  std::unique_ptr<zip_file_t, int (*)(zip_file_t *)> file(zip_fopen_index(zip, index, 0),
                                                          zip_fclose);
  // Grown as it is read: a header that lies about the size cannot make us reserve it.
  std::string content;
  std::array<char, 1 << 16> chunk;
  zip_int64_t count = -1;
  while (file && (count = zip_fread(file.get(), chunk.data(), chunk.size())) > 0)
    content.append(chunk.data(), static_cast<size_t>(count));
  if (!file || count < 0 || content.size() != stat.size)
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + name +
                                          " is damaged (its checksum does not match); copy or " +
                                          "export the archive again");
  return content;
}

std::string sha256(const std::string &content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr) !=
      1)
    throw Error(HYBRID_ERROR_INTERNAL, "SHA-256 is not available");
  constexpr const char *hex = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += hex[digest[i] >> 4];
    text += hex[digest[i] & 15];
  }
  return text;
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
    nlohmann::json::parse(hashes).at("entries").get_to(expected);
  } catch (const nlohmann::json::exception &) {
    throw Error(HYBRID_ERROR_ARCHIVE, path + ": the list of hashes does not read as one");
  }
  for (const auto &[name, hash] : found) {
    const auto entry = expected.find(name);
    if (entry == expected.end())
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + name +
                                            " is not in the list of hashes; it was added after " +
                                            "the export: do not use this file");
    if (entry->second != hash)
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + name + ": expected SHA-256 " +
                                            entry->second + ", got " + hash +
                                            "; the file was changed after the export");
  }
  for (const auto &[name, hash] : expected)
    if (!found.count(name))
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + name + " is missing");
}

}  // namespace

Archive read_archive(const std::string &path) {
  Archive archive;
  archive.bytes = read_file(path);
  const Zip zip = open_zip(path, archive.bytes);
  std::map<std::string, std::string> found;
  std::string hashes;
  const auto count = zip_get_num_entries(zip.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char *raw = zip_get_name(zip.get(), index, 0);
    const std::string name = without_folder(raw ? raw : "");
    std::string content = read_entry(path, zip.get(), index, name);
    if (name == hashes_name) {
      if (!hashes.empty()) throw Error(HYBRID_ERROR_ARCHIVE, path + ": two lists of hashes");
      hashes = std::move(content);
      continue;
    }
    if (!found.emplace(name, sha256(content)).second)
      throw Error(HYBRID_ERROR_ARCHIVE, path + ": entry " + name + " appears twice");
    if (name == manifest_name) archive.manifest = std::move(content);
  }
  if (archive.manifest.empty() || hashes.empty())
    throw Error(HYBRID_ERROR_ARCHIVE,
                path + ": expected " + manifest_name + " and " + hashes_name +
                    " inside, got a zip file without them; a plain TorchScript file must be " +
                    "exported with hybrid.export first");
  verify(path, found, hashes);
  return archive;
}

}  // namespace hybrid
