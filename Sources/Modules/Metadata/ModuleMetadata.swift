import CModulemd
import ForeignText
public import Repodata
import Yams

/// The module documents of one place: those of a modules.yaml, or those of one build of a module.
public struct ModuleMetadata: Hashable, Sendable {
    /// The streams, sorted by id and architecture.
    public private(set) var streams: [ModuleStream]
    /// The defaults, at most one per module, sorted by module name.
    public private(set) var defaults: [ModuleDefaults]
    public private(set) var remarks: [ModuleRemark]
    /// The documents that were skipped. See ``init(soundDocumentsOf:)``.
    public internal(set) var unusable: [UnusableModuleDocument] = []

    /// Whether there are no streams, no defaults and no remarks.
    public var isEmpty: Bool { streams.isEmpty && defaults.isEmpty && remarks.isEmpty }

    /// Creates metadata without any module.
    public init() { (streams, defaults, remarks) = ([], [], []) }

    /// The defaults and the remarks, without any stream.
    public var withoutStreams: ModuleMetadata { with(streams: []) }

    /// Returns this metadata with additions from `others`: the defaults of modules that have no defaults
    /// here, the remarks, and the unusable documents.
    public func adding(defaultsOf others: ModuleMetadata) -> ModuleMetadata {
        var all = self
        let known = Set(defaults.map(\.module))
        all.defaults += others.defaults.filter { !known.contains($0.module) }
        all.remarks += others.remarks.filter { !remarks.contains($0) }
        all.unusable += others.unusable
        all.sort()
        return all
    }

    /// Returns the same metadata with other streams.
    public func with(streams: [ModuleStream]) -> ModuleMetadata {
        var metadata = self
        metadata.streams = streams
        metadata.sort()
        return metadata
    }

    /// Reads documents in YAML, in any version of the format.
    ///
    /// Packages without an epoch, as in the documents of the first modules, get epoch 0.
    public init(yaml: String) throws(ModuleMetadataError) {
        try self.init(exactly: ArtifactEpochs.added(to: yaml))
    }

    /// Reads documents in YAML as they are. Throws if a package has no epoch.
    init(exactly yaml: String) throws(ModuleMetadataError) {
        self.init()
        // The strings of the library end at a null character.
        if yaml.utf8.contains(0) { throw ModuleMetadataError("It contains a null character, which YAML does not allow.") }
        let index = ModuleIndex()
        try index.add(yaml)
        let translated = Self.translatedStreams(in: yaml)
        for module in try index.modules { try read(module, translated: translated) }
        sort()
    }

    /// Returns the streams that have translations, by module. Documents can have megabytes, so only those
    /// of translations are parsed.
    private static func translatedStreams(in yaml: String) -> [String: Set<String>] {
        guard yaml.contains("modulemd-translations") else { return [:] }
        var found: [String: Set<String>] = [:]
        var document: [Substring.UTF8View] = []
        func take() {
            guard document.prefix(5).contains(where: { String(Substring($0)).contains("modulemd-translations") }) else { return }
            let text = document.map { String(Substring($0)) }.joined(separator: "\n")
            // If Yams cannot read a document, libmodulemd has already refused it.
            guard !YAMLAliases.areTooMany(in: text), let data = try? Yams.compose(yaml: text)?["data"],
                let module = data["module"]?.scalar?.string,
                let stream = data["stream"]?.scalar?.string
            else { return }
            found[module, default: []].insert(stream)
        }
        for line in yaml.utf8.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "---".utf8) || line.starts(with: "...".utf8) {
                take()
                document = []
            } else {
                document.append(line)
            }
        }
        take()
        return found
    }

    /// Merges several sets of metadata, the first before the last. If two sets contain the same build for
    /// the same architecture, the result has the packages of both.
    ///
    /// If two sets have defaults for the same module, the more recently changed ones are used. If the times
    /// of change do not decide and the default streams differ, the module gets no default stream
    /// (libmodulemd's rules of merging).
    public init(merging several: [ModuleMetadata]) throws(ModuleMetadataError) {
        self.init()
        unusable = several.flatMap(\.unusable)
        let several = several.filter { !$0.isEmpty }
        if several.count < 2 {
            guard var only = several.first else { return }
            only.unusable = unusable
            self = only
            return
        }
        var seen: [StreamKey: Int] = [:]
        for stream in several.flatMap(\.streams) {
            let key = StreamKey(id: stream.id, arch: stream.arch)
            if let place = seen[key] {
                streams[place] = streams[place].adding(stream.artifacts)
            } else {
                seen[key] = streams.count
                streams.append(stream)
            }
        }
        // libmodulemd merges the rest. It can only merge whole indexes.
        guard let merger = modulemd_module_index_merger_new() else { return }
        defer { g_object_unref(UnsafeMutableRawPointer(merger)) }
        // The library finds a translation by its stream alone, and these indexes have no streams. Translations
        // of one stream are merged when they are written.
        let translations = several.flatMap(\.remarks).filter { $0.kind == .translation }
        for metadata in several {
            let index = ModuleIndex()
            let others = metadata.remarks.filter { $0.kind != .translation }
            for document in metadata.defaults.map(\.document) + others.map(\.document) { try index.add(document) }
            modulemd_module_index_merger_associate_index(merger, index.pointer, 0)
        }
        var merged: OpaquePointer?
        _ = try ModuleIndex.check {
            merged = modulemd_module_index_merger_resolve(merger, $0)
            return merged == nil ? 0 : 1
        }
        if let merged {
            let index = ModuleIndex(owning: merged)
            for module in try index.modules { try read(module) }
        }
        for translation in translations where !remarks.contains(translation) { remarks.append(translation) }
        sort()
    }

    /// Returns the module documents of a repository in YAML. They are the documents of its streams, and the
    /// defaults and remarks about these streams. Each stream lists only the packages that are in the
    /// repository.
    ///
    /// - Parameters:
    ///   - ids: The streams that are in the repository.
    ///   - packages: All packages of the repository.
    /// - Returns: The documents, or an empty text if the repository has no such stream.
    public func yaml(of ids: Set<NSVC>, packages: Set<NEVRA>) throws(ModuleMetadataError) -> String {
        let index = ModuleIndex()
        let kept = streams.filter { ids.contains($0.id) }
        for stream in kept {
            let one = ModuleIndex()
            try one.add(stream.document)
            for module in try one.modules {
                for raw in ModuleIndex.members(modulemd_module_get_all_streams(module)) {
                    let version2 = OpaquePointer(raw)
                    modulemd_module_stream_v2_clear_rpm_artifacts(version2)
                    for artifact in stream.artifacts.intersection(packages).sorted() {
                        modulemd_module_stream_v2_add_rpm_artifact(version2, artifact.modulemd)
                    }
                    try index.add(raw.assumingMemoryBound(to: ModulemdModuleStream.self))
                }
            }
        }
        let modules = Set(kept.map(\.id.name))
        let names = Set(kept.map(\.id.nameAndStream))
        for defaults in defaults where modules.contains(defaults.module) { try index.add(defaults.document) }
        for remark in remarks where names.contains("\(remark.module):\(remark.stream)") { try index.add(remark.document) }
        return try index.yaml()
    }

    // MARK: Reading

    private struct StreamKey: Hashable {
        let id: NSVC
        let arch: String?
    }

    /// - Parameter translated: The streams that have translations, by module. libmodulemd does not list a
    ///   stream that has a translation but no document of its own.
    private mutating func read(_ module: OpaquePointer, translated: [String: Set<String>] = [:]) throws(ModuleMetadataError) {
        let name = try ModuleIndex.name(modulemd_module_get_module_name(module))
        for raw in ModuleIndex.members(modulemd_module_get_all_streams(module)) {
            streams.append(try ModuleStream(raw.assumingMemoryBound(to: ModulemdModuleStream.self)))
        }
        if let raw = modulemd_module_get_defaults(module) {
            let stream = try modulemd_defaults_v1_get_default_stream(OpaquePointer(raw), nil).map(ModuleIndex.name)
            let one = ModuleIndex()
            try one.add(raw)
            defaults.append(ModuleDefaults(module: name, stream: stream, document: try one.yaml()))
        }
        for raw in ModuleIndex.members(modulemd_module_get_obsoletes(module)).map({ OpaquePointer($0) }) {
            let one = ModuleIndex()
            try one.add(obsoletes: raw)
            let document = try one.yaml()
            remarks.append(ModuleRemark(kind: .obsoletes, module: name, stream: try Self.stream(of: document), document: document))
        }
        for stream in Set(try ModuleIndex.names(modulemd_module_get_stream_names_as_strv(module))).union(translated[name] ?? []).sorted() {
            guard let raw = modulemd_module_get_translation(module, stream) else { continue }
            let one = ModuleIndex()
            try one.add(translation: raw)
            remarks.append(ModuleRemark(kind: .translation, module: name, stream: stream, document: try one.yaml()))
        }
    }

    /// Returns the stream of an obsoletes document. libmodulemd has no function for it.
    private static func stream(of document: String) throws(ModuleMetadataError) -> String {
        guard !YAMLAliases.areTooMany(in: document) else {
            throw ModuleMetadataError("A document of obsoletes has more than \(YAMLAliases.most) aliases.")
        }
        do {
            if let stream = try Yams.compose(yaml: document)?["data"]?["stream"]?.scalar?.string { return stream }
        } catch {
            throw ModuleMetadataError("A document of obsoletes cannot be read: \(error)")
        }
        throw ModuleMetadataError("A document of obsoletes names no stream.")
    }

    private mutating func sort() {
        streams.sort { ($0.id, $0.arch ?? "") < ($1.id, $1.arch ?? "") }
        defaults.sort { $0.module < $1.module }
        remarks.sort { ($0.module, $0.stream, $0.document) < ($1.module, $1.stream, $1.document) }
    }
}

extension ModuleStream {
    fileprivate init(_ raw: UnsafeMutablePointer<ModulemdModuleStream>) throws(ModuleMetadataError) {
        let version2 = OpaquePointer(raw)
        let id = NSVC(
            name: try ModuleIndex.name(modulemd_module_stream_get_module_name(raw)),
            stream: try ModuleIndex.name(modulemd_module_stream_get_stream_name(raw)),
            version: UInt64(modulemd_module_stream_get_version(raw)),
            context: try modulemd_module_stream_get_context(raw).map(ModuleIndex.name) ?? "")
        var artifacts: Set<NEVRA> = []
        for text in try ModuleIndex.names(modulemd_module_stream_v2_get_rpm_artifacts_as_strv(version2)) {
            guard let artifact = NEVRA(text) else {
                throw ModuleMetadataError("The module \(id) has an artifact \"\(text)\", which is no name-epoch:version-release.arch.")
            }
            artifacts.insert(artifact)
        }
        var requirements: [[StreamRequirement]] = []
        for raw in ModuleIndex.members(modulemd_module_stream_v2_get_dependencies(version2)) {
            let alternative = OpaquePointer(raw)
            let modules = try ModuleIndex.names(modulemd_dependencies_get_runtime_modules_as_strv(alternative))
            requirements.append(
                try modules.map { (module) throws(ModuleMetadataError) in
                    StreamRequirement(
                        module: module,
                        written: try ModuleIndex.names(modulemd_dependencies_get_runtime_streams_as_strv(alternative, module)))
                })
        }
        let one = ModuleIndex()
        try one.add(raw)
        self.init(
            id: id, arch: try modulemd_module_stream_get_arch(raw).map(ModuleIndex.name),
            hasStaticContext: modulemd_module_stream_v2_is_static_context(version2) != 0, requirements: requirements,
            artifacts: artifacts, filters: Set(try ModuleIndex.names(modulemd_module_stream_v2_get_rpm_filters_as_strv(version2))),
            demodularized: Set(try ModuleIndex.names(modulemd_module_stream_v2_get_demodularized_rpms(version2))), document: try one.yaml())
    }

    fileprivate func adding(_ more: Set<NEVRA>) -> ModuleStream {
        ModuleStream(
            id: id, arch: arch, hasStaticContext: hasStaticContext, requirements: requirements, artifacts: artifacts.union(more),
            filters: filters, demodularized: demodularized, document: document)
    }
}

extension NEVRA {
    /// The form in which modulemd writes packages, always with the epoch. Example: `ed-0:1.20-3.x86_64`.
    var modulemd: String { "\(name)-\(epoch):\(version)-\(release).\(arch)" }
}
