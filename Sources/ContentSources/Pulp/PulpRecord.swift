import ComposeModel
import ForeignText
import Foundation

/// A repository as Pulp has it on record, with what decides whether it may be used.
struct PulpRecord: Sendable {
    let repository: PulpRepository
    let isPublished: Bool

    /// - Parameters:
    ///   - notes: Pulp 2's notes, Pulp 3's labels; both hold the same things under the same names.
    ///   - url: where the repository is served.
    init(id: String, notes: PulpNotes, url: RepositoryURL, isGuarded: Bool) {
        repository = PulpRepository(
            id: id, contentSet: notes.contentSet, url: url.description, arch: notes.arch, sigkeys: notes.signatures,
            productVersions: notes.productVersions, isGuarded: isGuarded)
        isPublished = notes.isPublished
    }
}

/// What the product's release tools write into the notes (Pulp 2) or labels (Pulp 3) of a repository; anything else in them is passed over.
struct PulpNotes: Decodable {
    let contentSet: String?
    let arch: String?
    let signatures: [String]
    let productVersions: [String]
    /// Pulp 2 only: where the repository is, below the server's address.
    let relativeURL: String?
    /// Only what says so is published: a note that is missing is no permission.
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

    /// A list; or, where only texts can be stored, that list as JSON, or its entries with commas between them.
    private struct Versions: Decodable {
        let list: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                list = try container.decode([String].self)
            } catch DecodingError.typeMismatch {
                let text = try container.decode(String.self)
                // Text that only looks like a list is taken as the text that it is.
                if text.hasPrefix("["), let inner = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) {
                    list = inner
                } else {
                    list = text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init)
                }
            }
        }
    }

    /// `true`; or, where only texts can be stored, `"True"`.
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
