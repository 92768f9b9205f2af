import ComposeModel
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
    var documents: [String: [UInt8]] {
        [
            "composeinfo.json": document("composeinfo", label: label, writeComposeInfo),
            "rpms.json": rpmsDocument,
            "images.json": document("images") { json in write("images", to: &json, arches: images.map(\.arch), writeImages) },
            "modules.json": document("modules") { json in write("modules", to: &json, arches: modules.map(\.arch), writeModules) },
        ]
    }

    private func document(
        _ type: String, label: String? = nil, reservingBytes capacity: Int = 0, _ payload: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var json = JSONWriter(reservingBytes: capacity)
        json.object { json in
            json.member("header") { json in
                json.member("type", "productmd.\(type)")
                json.member("version", "1.2")
            }
            json.line()
            json.member("payload") { json in
                json.member("compose") { json in
                    json.member("id", identity.id)
                    json.member("date", identity.date)
                    json.member("type", identity.type)
                    json.member("respin", 0)
                    if let label { json.member("label", label) }
                }
                payload(&json)
            }
        }
        json.endLine()
        return json.bytes
    }

    /// The member of a payload that says for each architecture what it has.
    ///
    /// - Parameter isNamed: Whether the variant is there if it has nothing.
    private func write(
        _ name: String, to json: inout JSONWriter, arches: [String], isNamed: Bool = false, _ entries: (inout JSONWriter, String) -> Void
    ) {
        json.line()
        json.member(name) { json in
            guard isNamed || !arches.isEmpty else { return }
            json.member(Self.variant) { json in
                for arch in Set(arches).sorted() {
                    json.name(arch)
                    entries(&json, arch)
                }
            }
        }
    }

    private func writeComposeInfo(_ json: inout JSONWriter) {
        let name = identity.layout.directory
        json.line()
        json.member("release") { json in
            json.member("name", name)
            json.member("short", name)
            json.member("version", "1")
            json.member("type", "ga")
            json.name("internal")
            json.bool(false)
        }
        json.line()
        json.member("variants") { json in
            json.member(Self.variant) { json in
                for key in ["id", "uid", "name"] { json.member(key, Self.variant) }
                json.member("type", "variant")
                json.name("arches")
                json.array(arches) { $0.string($1) }
                json.member("paths") { json in
                    for (kind, path) in paths {
                        let places = arches.compactMap { arch in path(arch).map { (arch: arch, path: "\(Self.variant)/\($0)") } }
                        if places.isEmpty { continue }
                        json.line()
                        json.member(kind) { json in
                            for place in places { json.member(place.arch, place.path) }
                        }
                    }
                }
            }
        }
    }

    /// Where an architecture has what, by productmd's names for that.
    private var paths: KeyValuePairs<String, (_ arch: String) -> String?> {
        let withImages = Set(images.map(\.arch))
        func unlessElsewhere(_ path: String) -> String? { hasFiles ? path : nil }
        return [
            "os_tree": { "\($0)/os" }, "repository": { "\($0)/os" }, "packages": { unlessElsewhere("\($0)/os/Packages") },
            "debug_tree": { "\($0)/debug/tree" }, "debug_repository": { "\($0)/debug/tree" },
            "debug_packages": { unlessElsewhere("\($0)/debug/tree/Packages") },
            "source_tree": { _ in "source/tree" }, "source_repository": { _ in "source/tree" },
            "source_packages": { _ in unlessElsewhere("source/tree/Packages") },
            "isos": { withImages.contains($0) ? "\($0)/iso" : nil },
        ]
    }

    /// What is known of each image.
    private func writeImages(_ json: inout JSONWriter, of arch: String) {
        json.array(images.filter { $0.arch == arch }) { json, image in
            json.line()
            json.object { json in
                json.member("path", image.path)
                json.member("mtime", image.timestamp)
                json.member("size", image.size)
                json.member("volume_id", image.volumeID)
                json.member("type", "dvd")
                json.member("format", "iso")
                json.member("arch", image.arch)
                json.member("disc_number", 1)
                json.member("disc_count", 1)
                json.member("checksums") { $0.member("sha256", image.checksum.hex) }
                json.name("implant_md5")
                json.null()
                json.name("bootable")
                json.bool(false)
                json.member("subvariant", Self.variant)
                json.name("unified")
                json.bool(false)
            }
        }
    }

    /// Name, stream, version and context -> what it is and has.
    private func writeModules(_ json: inout JSONWriter, of arch: String) {
        json.object { json in
            var seen: Set<NSVC> = []
            for module in modules where module.arch == arch && seen.insert(module.id).inserted {
                let id = module.id
                json.line()
                json.member(id.description) { json in
                    json.member("metadata") { json in
                        json.member("uid", id.description)
                        json.member("name", id.name)
                        json.member("stream", id.stream)
                        json.member("version", "\(id.version)")
                        json.member("context", id.context)
                        json.member("koji_tag", module.kojiTag ?? "")
                    }
                    json.member("modulemd_path") { json in
                        for (kind, path) in module.documents.sorted(by: { $0.key < $1.key }) { json.member(kind, path) }
                    }
                    json.name("rpms")
                    json.array(module.packages.map(\.withEpoch).sorted()) { $0.string($1) }
                }
            }
        }
    }

    /// About as many as a package takes in `rpms.json`.
    private static let bytesOfPackage = 250

    /// Source NEVRA -> NEVRA -> where it is and what kind of package it is; each source on a line of its own.
    private var rpmsDocument: [UInt8] {
        let names = packages.map { (source: ($0.sourceNEVRA ?? $0.record.nevra).withEpoch, nevra: $0.record.nevra.withEpoch) }
        let ordered = packages.indices.sorted { names[$0] < names[$1] }
        return document("rpms", reservingBytes: packages.count * Self.bytesOfPackage) { json in
            write("rpms", to: &json, arches: packages.flatMap(\.arches), isNamed: true) { json, arch in
                json.object { json in
                    var rest = ordered.filter { packages[$0].arches.contains(arch) }[...]
                    while let first = rest.first {
                        let source = names[first].source
                        let builtFromIt = rest.prefix { names[$0].source == source }
                        json.line()
                        json.member(source) { json in
                            for index in builtFromIt { json.member(names[index].nevra) { packages[index].write(to: &$0) } }
                        }
                        rest = rest.dropFirst(builtFromIt.count)
                    }
                }
            }
        }
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
