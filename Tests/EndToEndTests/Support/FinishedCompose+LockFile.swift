import Foundation

extension FinishedCompose {
    /// `compose.lock.json`, as a program would read it that makes the compose again.
    struct LockFile: Decodable {
        struct Request: Decodable, Hashable {
            let packages: [String]
            let arches: [String]
            let flags: [String]
        }

        struct Source: Decodable, Hashable {
            let location: String
            let repomd: String
            let lookaside: Bool
        }

        struct Package: Decodable {
            let nevra: String
            let checksum: String
            let size: Int
            let repomd: String
            let location: String
            let path: String
            let why: String
            let reason: Reason
        }

        /// One member each, whose name says what kind of reason it is.
        struct Reason: Decodable {
            struct NEVRA: Decodable {
                let name: String
            }

            struct Requested: Decodable {
                let by: String
            }

            struct Related: Decodable {
                let package: NEVRA
                let requirement: String?
            }

            let requested: Requested?
            let requiredBy: Related?
            let sourceOf: Related?
            let debugOf: Related?
        }

        struct Missing: Decodable {
            let arch: String
            let requirement: String
        }

        let request: Request
        let delivery: String?
        let sources: [Source]
        let packages: [Package]
        let missing: [Missing]

        /// Why each package is there, by its NEVRA.
        var why: [String: String] { Dictionary(uniqueKeysWithValues: packages.map { ($0.nevra, $0.why) }) }
    }

    var lock: LockFile {
        get throws { try JSONDecoder().decode(LockFile.self, from: data("compose.lock.json")) }
    }
}
