import ComposeModel
import Compression
import Modules
import Repodata

/// Product metadata are productmd's four documents about a compose, in version 1.2.
///
/// The formats are those of https://productmd.readthedocs.io: composeinfo, rpms, images and modules.
struct ProductMetadata {
    let identity: ComposeIdentity
    let label: String?
    /// The base architectures with a tree.
    let arches: [String]
    /// The packages of every tree. Each has the architectures under which productmd lists it.
    let packages: [Package]
    var images: [ComposeImage] = []
    /// Whether the packages' files are in the compose, and not elsewhere.
    var hasFiles = true

    /// The builds of modules, for each architecture.
    var modules: [ListedModule] = []

    struct ListedModule {
        let id: NSVC
        /// The tree's base architecture.
        let arch: String
        /// The Koji tag that has the module's packages, or `nil` if no tag has them.
        let kojiTag: String?
        let packages: Set<NEVRA>
        /// The paths of the module documents below the directory `compose`, by the kind of repository:
        /// `binary`, `debug`, `source`.
        let documents: [String: String]
    }

    struct Package {
        /// The base architecture of the package's tree. A source package is listed under every base
        /// architecture.
        let arches: [String]
        let record: PackageRecord
        /// The path of the package's file below the directory `compose`. Example:
        /// `Temporary/x86_64/os/Packages/e/ed-1.20-3.x86_64.rpm`.
        ///
        /// If the file is elsewhere, this is its address. productmd does not provide for that. A client that
        /// joins the address to the compose's address by the rules for URLs still finds the file.
        let path: String
        let sourceNEVRA: NEVRA?
    }

    /// The documents, by the names of their files. Example of a key: `rpms.json`.
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

    /// Writes the member `name` of a payload, which has an entry for each architecture.
    ///
    /// - Parameter isNamed: Whether the variant is written even if it has no entries.
    private func write(
        _ name: String, to json: inout JSONWriter, arches: [String], isNamed: Bool = false, _ entries: (inout JSONWriter, String) -> Void
    ) {
        json.line()
        json.member(name) { json in
            guard isNamed || !arches.isEmpty else { return }
            json.member(TreeLayout.variant) { json in
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
            json.member(TreeLayout.variant) { json in
                for key in ["id", "uid", "name"] { json.member(key, TreeLayout.variant) }
                json.member("type", "variant")
                json.name("arches")
                json.array(arches) { $0.string($1) }
                json.member("paths") { json in
                    for (kind, path) in paths {
                        let places = arches.compactMap { arch in path(arch).map { (arch: arch, path: "\(TreeLayout.variant)/\($0)") } }
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

    /// The paths of an architecture's trees, repositories, packages and images, by productmd's names for
    /// them. A path is `nil` if the compose does not have it.
    private var paths: KeyValuePairs<String, (_ arch: String) -> String?> {
        let withImages = Set(images.map(\.arch))
        func path(_ kind: TreeLayout.Kind) -> (_ arch: String) -> String? { { TreeLayout.path(kind, $0) } }
        func packages(_ kind: TreeLayout.Kind) -> (_ arch: String) -> String? {
            { arch in hasFiles ? "\(TreeLayout.path(kind, arch))/\(PackagePlace.folder)" : nil }
        }
        return [
            "os_tree": path(.os), "repository": path(.os), "packages": packages(.os),
            "debug_tree": path(.debug), "debug_repository": path(.debug), "debug_packages": packages(.debug),
            "source_tree": path(.source), "source_repository": path(.source), "source_packages": packages(.source),
            "isos": { withImages.contains($0) ? TreeLayout.images($0) : nil },
        ]
    }

    /// Writes the entries of an architecture's images.
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
                json.member("subvariant", TreeLayout.variant)
                json.name("unified")
                json.bool(false)
            }
        }
    }

    /// Writes an object with a member for each module. The key is `NAME:STREAM:VERSION:CONTEXT`. The value
    /// has the module's metadata, documents and packages.
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

    /// The approximate number of bytes of one package in `rpms.json`.
    private static let bytesOfPackage = 250

    /// The document `rpms.json`. It maps source NEVRA -> NEVRA -> path and category of the package. Each
    /// source is on a line of its own.
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
        // productmd requires the key `sigkey`.
        json.name("sigkey")
        json.null()
        json.member("category", nevra.isSource ? "source" : nevra.isDebug ? "debug" : "binary")
    }
}

extension NEVRA {
    /// The NEVRA with its epoch, which productmd always writes. Example: `ed-0:1.20-3.x86_64`.
    fileprivate var withEpoch: String { "\(name)-\(epoch):\(version)-\(release).\(arch)" }
}
