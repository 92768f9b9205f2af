import ComposeModel
import Foundation
import Modules
import Repodata

/// productmd's four documents about a compose, version 1.2.
///
/// The formats are those of https://productmd.readthedocs.io: composeinfo, rpms, images and modules.
struct ProductMetadata {
    let identity: ComposeIdentity
    let label: String?
    /// The base architectures with a tree.
    let arches: [String]
    /// The packages of every tree, by the architecture under which productmd lists them.
    let packages: [Package]
    var images: [ComposeImage] = []
    /// Whether the packages' files are in the compose, and not elsewhere.
    var hasFiles = true

    /// The builds of modules, for each architecture.
    var modules: [Module] = []

    struct Module {
        let id: NSVC
        /// The tree's base architecture.
        let arch: String
        /// The tag of Koji that has its packages; `nil`: none does.
        let kojiTag: String?
        let packages: Set<NEVRA>
        /// Where the documents of modules lie, below the directory `compose`, by the kind of repository: `binary`, `debug`, `source`.
        let documents: [String: String]
    }

    struct Package {
        /// The tree's base architecture; a source package is listed under each.
        let arches: [String]
        let record: PackageRecord
        /// Below the directory `compose`; an address for a file that is elsewhere, which productmd has no words for: joined to the
        /// compose's address as URLs are, it leads there.
        let path: String
        let sourceNEVRA: NEVRA?
    }

    /// The only variant that a compose has.
    private static let variant = "Temporary"

    /// The documents by the names of their files.
    func documents() throws -> [String: [UInt8]] {
        [
            "composeinfo.json": try encode(type: "composeinfo", payload: composeInfo),
            "rpms.json": rpmsDocument,
            "images.json": try encode(
                type: "images", payload: payload(["images": imageEntries.isEmpty ? [:] : [Self.variant: imageEntries]])),
            "modules.json": try encode(
                type: "modules", payload: payload(["modules": moduleEntries.isEmpty ? [:] : [Self.variant: moduleEntries]])),
        ]
    }

    private func encode(type: String, payload: [String: Any]) throws -> [UInt8] {
        let document: [String: Any] = ["header": ["type": "productmd.\(type)", "version": "1.2"], "payload": payload]
        return Array(try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]))
    }

    private var compose: [String: Any] {
        ["id": identity.id, "date": identity.date, "type": identity.type, "respin": 0]
    }

    private func payload(_ content: [String: Any]) -> [String: Any] {
        content.merging(["compose": compose]) { content, _ in content }
    }

    private var composeInfo: [String: Any] {
        func paths(_ path: (String) -> String) -> [String: String] {
            Dictionary(uniqueKeysWithValues: arches.map { ($0, "\(Self.variant)/\(path($0))") })
        }
        var compose = compose
        if let label { compose["label"] = label }
        let name = identity.layout.directory
        var trees = [
            "os_tree": paths { "\($0)/os" }, "repository": paths { "\($0)/os" }, "packages": paths { "\($0)/os/Packages" },
            "debug_tree": paths { "\($0)/debug/tree" }, "debug_repository": paths { "\($0)/debug/tree" },
            "debug_packages": paths { "\($0)/debug/tree/Packages" },
            "source_tree": paths { _ in "source/tree" }, "source_repository": paths { _ in "source/tree" },
            "source_packages": paths { _ in "source/tree/Packages" },
        ]
        if !hasFiles { for kind in ["packages", "debug_packages", "source_packages"] { trees[kind] = nil } }
        if !images.isEmpty { trees["isos"] = paths { "\($0)/iso" }.filter { path in images.contains { $0.arch == path.key } } }
        return [
            "compose": compose,
            "release": ["name": name, "short": name, "version": "1", "type": "ga", "internal": false],
            "variants": [
                Self.variant: [
                    "id": Self.variant, "uid": Self.variant, "name": Self.variant, "type": "variant", "arches": arches,
                    "paths": trees,
                ]
            ],
        ]
    }

    /// arch -> what is known of each image.
    private var imageEntries: [String: [[String: Any]]] {
        Dictionary(grouping: images, by: \.arch).mapValues { images in
            images.map { image in
                [
                    "path": image.path, "mtime": image.timestamp, "size": image.size, "volume_id": image.volumeID, "type": "dvd",
                    "format": "iso", "arch": image.arch, "disc_number": 1, "disc_count": 1, "checksums": ["sha256": image.checksum.hex],
                    "implant_md5": NSNull(), "bootable": false, "subvariant": Self.variant, "unified": false,
                ]
            }
        }
    }

    /// arch -> name, stream, version and context -> what it is and has.
    private var moduleEntries: [String: [String: [String: Any]]] {
        Dictionary(grouping: modules, by: \.arch).mapValues { modules in
            Dictionary(
                modules.map { module in
                    let id = module.id
                    let metadata: [String: Any] = [
                        "uid": id.description, "name": id.name, "stream": id.stream, "version": "\(id.version)", "context": id.context,
                        "koji_tag": module.kojiTag ?? "",
                    ]
                    let entry: [String: Any] = [
                        "metadata": metadata, "modulemd_path": module.documents, "rpms": module.packages.map(\.withEpoch).sorted(),
                    ]
                    return (id.description, entry)
                }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// arch -> source NEVRA -> NEVRA -> where it is and what kind of package it is; each source on a line of its own.
    private var rpmsDocument: [UInt8] {
        let places = packages.map { package in
            let nevra = package.record.nevra
            return (source: (package.sourceNEVRA ?? nevra).withEpoch, nevra: nevra.withEpoch, package: package)
        }
        let ordered = places.sorted { ($0.source, $0.nevra) < ($1.source, $1.nevra) }
        var json = JSONWriter()
        json.object { json in
            json.member("header") { json in
                json.member("type", "productmd.rpms")
                json.member("version", "1.2")
            }
            json.member("payload") { json in
                json.member("compose") { json in
                    json.member("id", identity.id)
                    json.member("date", identity.date)
                    json.member("type", identity.type)
                    json.member("respin", 0)
                }
                json.member("rpms") { json in
                    json.member(Self.variant) { json in
                        for arch in Set(packages.flatMap(\.arches)).sorted() {
                            json.member(arch) { json in
                                var rest = ordered.filter { $0.package.arches.contains(arch) }[...]
                                while let source = rest.first?.source {
                                    let builtFromIt = rest.prefix { $0.source == source }
                                    json.line()
                                    json.member(source) { json in
                                        for place in builtFromIt { json.member(place.nevra) { place.package.write(to: &$0) } }
                                    }
                                    rest = rest.dropFirst(builtFromIt.count)
                                }
                            }
                        }
                    }
                }
            }
        }
        json.endLine()
        return json.bytes
    }
}

extension ProductMetadata.Package {
    fileprivate func write(to json: inout JSONWriter) {
        let nevra = record.nevra
        json.member("path", path)
        // productmd wants the key to be there.
        json.name("sigkey")
        json.null()
        json.member("category", nevra.isSource ? "source" : nevra.isDebug ? "debug" : "binary")
    }
}

extension NEVRA {
    /// productmd writes the epoch always.
    fileprivate var withEpoch: String { "\(name)-\(epoch):\(version)-\(release).\(arch)" }
}
