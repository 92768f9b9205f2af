import ComposeModel
import ForeignText
import Foundation

/// A *record* is Pulp's entry for a repository, with the fact that decides whether it may be used.
struct PulpRecord: Sendable {
    let repository: PulpRepository
    let isPublished: Bool

    /// - Parameters:
    ///   - notes: Pulp 2's notes or Pulp 3's labels. Both hold the same entries under the same names.
    ///   - url: The address at which the repository is served.
    init(id: String, notes: PulpNotes, url: RepositoryURL, isGuarded: Bool) {
        repository = PulpRepository(
            id: id, contentSet: notes.contentSet, url: url.description, arch: notes.arch, sigkeys: notes.signatures,
            productVersions: notes.productVersions, isGuarded: isGuarded)
        isPublished = notes.isPublished
    }
}

/// The entries that the product's release tools write into the notes (Pulp 2) or labels (Pulp 3) of a
/// repository. Other entries are ignored.
struct PulpNotes: Decodable {
    let contentSet: String?
    let arch: String?
    let signatures: [String]
    let productVersions: [String]
    /// The repository's path below the server's address. Only Pulp 2 has this note.
    let relativeURL: String?
    /// Whether the repository is published. If the note is missing, it is not.
    let isPublished: Bool

    enum CodingKeys: String, CodingKey {
        case arch, signatures
        case contentSet = "content_set"
        case productVersions = "product_versions"
        case relativeURL = "relative_url"
        case isPublished = "include_in_download_service"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String? {
            guard let text = try container.decodeIfPresent(String.self, forKey: key), !text.isEmpty else { return nil }
            guard text.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace && !$0.isInvisible }) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "it contains a space or a control character")
            }
            return text
        }
        contentSet = try text(.contentSet)
        arch = try text(.arch)
        relativeURL = try text(.relativeURL)
        let keys = try container.decodeIfPresent(String.self, forKey: .signatures) ?? ""
        signatures = Set(keys.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init)).sorted()
        productVersions = try container.decodeIfPresent(Versions.self, forKey: .productVersions)?.list ?? []
        isPublished = try container.decodeIfPresent(Truth.self, forKey: .isPublished)?.isTrue ?? false
    }

    /// A list of versions. If only texts can be stored, it is that list as JSON, or its entries separated
    /// by commas or blanks.
    private struct Versions: Decodable {
        let list: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                list = try container.decode([String].self)
            } catch DecodingError.typeMismatch {
                let text = try container.decode(String.self)
                // A text that only looks like a list is split like any other text.
                if text.hasPrefix("["), let inner = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) {
                    list = inner
                } else {
                    list = text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init)
                }
            }
        }
    }

    /// The value `true`. If only texts can be stored, it is `"True"`.
    private struct Truth: Decodable {
        let isTrue: Bool

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                isTrue = try container.decode(Bool.self)
            } catch DecodingError.typeMismatch {
                isTrue = try container.decode(String.self).lowercased() == "true"
            }
        }
    }
}
