import Foundation
import Repodata

/// The packages of one variant, read from a compose's `rpms.json`.
///
/// The format is productmd's (https://productmd.readthedocs.io). Its levels are payload, rpms, variant,
/// architecture, source package and package. Only the wanted parts are decoded, because the lists of
/// large composes name hundreds of thousands of packages.
struct RPMListDocument: Decodable {
    /// All base architectures of the variant.
    let arches: [String]
    /// The packages of each wanted architecture that the variant has.
    let packages: [String: Packages]

    /// The packages of one architecture by kind, including source packages.
    struct Packages {
        var binary: Set<NEVRA> = []
        var debug: Set<NEVRA> = []
        var source: Set<NEVRA> = []
    }

    /// An error for a valid document that does not have the wanted variant. It names the variants that the
    /// document has.
    struct UnknownVariant: Error {
        let known: [String]
    }

    /// The parts to decode. They are passed in the decoder's `userInfo`.
    struct Wanted {
        static let key = CodingUserInfoKey(rawValue: "wanted")!

        let variant: String
        let arches: Set<String>
    }

    private struct Package: Decodable {
        let category: String?
    }

    init(from decoder: any Decoder) throws {
        let wanted = decoder.userInfo[Wanted.key] as? Wanted ?? Wanted(variant: "", arches: [])
        let variant = Name(wanted.variant)
        let document = try decoder.container(keyedBy: Name.self)
        let variants = try document.nestedContainer(keyedBy: Name.self, forKey: "payload").nestedContainer(
            keyedBy: Name.self, forKey: "rpms")
        guard variants.contains(variant) else { throw UnknownVariant(known: variants.allKeys.map(\.stringValue)) }
        let arches = try variants.nestedContainer(keyedBy: Name.self, forKey: variant)
        var all: [String: Packages] = [:]
        for arch in arches.allKeys where wanted.arches.contains(arch.stringValue) {
            let sources = try arches.nestedContainer(keyedBy: Name.self, forKey: arch)
            var packages = Packages()
            for source in sources.allKeys {
                let built = try sources.nestedContainer(keyedBy: Name.self, forKey: source)
                for name in built.allKeys {
                    guard let nevra = NEVRA(name.stringValue) else {
                        throw DecodingError.dataCorruptedError(
                            forKey: name, in: built, debugDescription: "it is not NAME-EPOCH:VERSION-RELEASE.ARCH")
                    }
                    let category = try built.decode(Package.self, forKey: name).category
                    switch category ?? (nevra.isSource ? "source" : nevra.isDebug ? "debug" : "binary") {
                    case "source": packages.source.insert(nevra)
                    case "debug": packages.debug.insert(nevra)
                    default: packages.binary.insert(nevra)
                    }
                }
            }
            all[arch.stringValue] = packages
        }
        self.arches = arches.allKeys.map(\.stringValue).sorted()
        packages = all
    }
}

/// The paths of each variant's repositories, read from a compose's `composeinfo.json`. They are
/// relative to the directory `compose`.
struct ComposeInfoDocument: Decodable {
    /// The paths of a variant's repositories: by kind, then by architecture. Example: `Server/x86_64/os`.
    struct Paths: Decodable, Sendable {
        var repository: [String: String]?
        var debug: [String: String]?
        var source: [String: String]?

        private enum CodingKeys: String, CodingKey {
            case repository
            case debug = "debug_repository"
            case source = "source_repository"
        }
    }

    private struct Payload: Decodable {
        let variants: [String: Variant]
    }

    private struct Variant: Decodable {
        let paths: Paths?
    }

    private let payload: Payload

    func paths(of variant: String) -> Paths? { payload.variants[variant]?.paths }
}

/// A key of a JSON object that can be any text.
private struct Name: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) { stringValue = text }
    init(stringLiteral: String) { stringValue = stringLiteral }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension DecodingError {
    /// The place of the mistake and the mistake itself, in words that follow a colon.
    var explanation: String {
        func place(_ context: Context, _ last: String? = nil) -> String {
            let path = context.codingPath.map(\.stringValue) + (last.map { [$0] } ?? [])
            return path.isEmpty ? "the document" : path.joined(separator: " > ")
        }
        switch self {
        case .keyNotFound(let key, let context): return "\(place(context, key.stringValue)) is missing"
        case .typeMismatch(_, let context): return "\(place(context)) is of the wrong type"
        case .valueNotFound(_, let context): return "\(place(context)) is null"
        case .dataCorrupted(let context):
            if context.codingPath.isEmpty { return "it is not JSON, or not all of it came" }
            return "of \(place(context)), \(context.debugDescription)"
        @unknown default: return "it cannot be read"
        }
    }
}
