public import ComposeModel
import ForeignText
import Koji
public import Modules

// Modules: their builds in Koji, which have the documents, and the tags with their packages.
extension KojiSource {
    // MARK: Pin

    /// Returns the modules of tags as they are now, or were at `event`. An earlier tag of the list has
    /// precedence over a later one.
    public func modules(inTags tags: [String], event: Int?) async throws(ComposeFailure) -> KojiModuleTags {
        KojiModuleTags(hub: hub, tags: tags, event: try await self.event(event))
    }

    /// Returns the places of the modules' documents and packages in Koji, and the event as of which the
    /// modules' tags are read.
    ///
    /// - Parameter event: The event as of which the tags are read. `nil` selects the hub's last event.
    ///
    /// Throws `.sourceNotUsable` with the names of modules whose tag does not exist, or whose build is
    /// deleted or not complete. Throws `.sourceUnreachable` (transient) if the hub does not answer.
    public func pin(modules: [ModuleBuild], event: Int?) async throws(ComposeFailure) -> (modules: [KojiPin.Module], event: Int) {
        var pinned: [KojiPin.Module] = []
        var wrong: [String] = []
        let asOf = try await self.event(event)
        do throws(KojiError) {
            for (module, build) in zip(modules, try await builds(of: modules.map(\.id))) {
                switch build {
                case .complete(let described):
                    pinned.append(.init(id: "\(module.id)", tag: module.kojiTag ?? described.contentTag, build: module.id.kojiBuild))
                case .unusable(let finding): wrong.append("\(module.id) \(finding)")
                case .absent:
                    if let tag = module.kojiTag, let scratchID = module.scratchID {
                        pinned.append(.init(id: "\(module.id)", tag: tag, scratchID: scratchID))
                    } else {
                        wrong.append("\(module.id) has no build \(module.id.kojiBuild)")
                    }
                }
            }
            for (module, tag) in zip(pinned, try await hub.getTags(pinned.map { .name($0.tag) }, event: asOf)) where tag == nil {
                wrong.append("\(module.id) has no tag \(module.tag) at the event \(asOf)")
            }
        } catch {
            throw ComposeFailure(error)
        }
        guard wrong.isEmpty else { throw Self.failure(wrong, of: "module") }
        return (pinned.sorted { $0.id < $1.id }, asOf)
    }

    /// Koji's answer about the build of a module.
    private enum BuildOfModule {
        case complete(KojiModule)
        /// The build cannot be used. The text is the end of a sentence.
        case unusable(String)
        case absent
    }

    private func builds(of modules: [NSVC]) async throws(KojiError) -> [BuildOfModule] {
        var found: [BuildOfModule] = []
        var complete: [(place: Int, id: Int)] = []
        for (place, answer) in try await hub.getBuilds(modules.map { .name($0.kojiBuild) }).enumerated() {
            switch answer {
            case .success(let build?) where build.state == .complete:
                complete.append((place, build.buildID))
                found.append(.absent)
            case .success(let build?): found.append(.unusable(Self.finding(build)))
            case .success(nil): found.append(.absent)
            case .failure(let error):
                // A stream with unusual characters can make a name that the hub cannot split into name, version and
                // release.
                guard error.code == .fault, !error.isTransient else { throw error }
                found.append(.absent)
            }
        }
        for (build, answer) in zip(complete, try await hub.getModules(complete.map { .id($0.id) })) {
            // Another stream may have the same name in Koji, where dashes in streams become underscores.
            if let module = try answer.get(), NSVC(module) == modules[build.place] { found[build.place] = .complete(module) }
        }
        return found
    }

    private static func finding(_ build: KojiBuild) -> String {
        "is the build \(build.nvr), which is \(build.state?.name.lowercased() ?? "in a state that this version does not know")"
    }

    // MARK: Documents

    /// The maximum size of a module's document in bytes. Documents of the largest modules have less than a
    /// million bytes.
    private static let largestDocument = 16 << 20

    /// Returns the documents of the pinned modules, one for each of `arches`.
    ///
    /// - Parameters:
    ///   - arches: Architectures of trees, for example `i386`.
    ///   - documents: The documents of modules without a build in Koji, by the modules' ids.
    ///
    /// Throws `.metadataCorrupt` for a document that cannot be used, with the names of module, build and
    /// file. Throws `.sourceNotUsable`, with the names of the modules, if a build was deleted since it was
    /// pinned. Throws `.sourceUnreachable` (transient) if Koji does not answer.
    public func modules(
        of pin: KojiPin, arches: [String], documents: [String: ModuleMetadata] = [:]
    ) async throws(ComposeFailure) -> ModuleMetadata {
        let modules = pin.modules ?? []
        // All of them are named, whichever would be read first.
        let missing = modules.filter { $0.build == nil && documents[$0.id] == nil }
            .map { "\($0.id) has no build and no document of its own" }
        guard missing.isEmpty else { throw Self.failure(missing, of: "module") }
        let directories = try await directories(of: modules.compactMap { module in module.build.map { (module.id, $0) } })
        do {
            let streams = try await inParallel(modules, atOnce: files.concurrentFiles) { module in
                guard let id = NSVC(module.id) else {
                    throw ComposeFailure(.internal, "\"\(module.id)\" is not the name, stream, version and context of a module.")
                }
                if let build = module.build, let directory = directories[build] {
                    return try await self.documents(of: id, build: build, in: directory, arches: arches)
                }
                guard let metadata = documents[module.id] else {
                    throw ComposeFailure(.internal, "There is no document of the module \(id).")
                }
                let place = module.scratchID.map { "the scratch build \($0)" } ?? "not in Koji"
                let document = KojiModuleDocument(of: id, in: place, name: "modulemd")
                return try arches.compactMap { arch in
                    let arches = [arch, Self.buildArches[arch]]
                    // The module may not be built for every architecture.
                    let stream =
                        metadata.streams.first { $0.arch != nil && arches.contains($0.arch) } ?? metadata.streams.first { $0.arch == nil }
                    return try stream.map {
                        try document.stream(in: ModuleMetadata().with(streams: [$0]), arch: $0.arch ?? Self.buildArches[arch] ?? arch)
                    }
                }
            }
            return ModuleMetadata().with(streams: streams.flatMap(\.self))
        } catch {
            throw ComposeFailure(error, otherwise: "The documents of modules in Koji could not be read.")
        }
    }

    /// Returns the directories of builds in Koji's tree, by the builds' names. They are looked up because a
    /// build may have moved to another volume.
    private func directories(of builds: [(module: String, nvr: String)]) async throws(ComposeFailure) -> [String: KojiPath] {
        var directories: [String: KojiPath] = [:]
        var wrong: [String] = []
        do throws(KojiError) {
            for ((module, nvr), answer) in zip(builds, try await hub.getBuilds(builds.map { .name($0.nvr) })) {
                guard let build = try answer.get() else {
                    wrong.append("\(module) has no build \(nvr)")
                    continue
                }
                guard build.state == .complete else {
                    wrong.append("\(module) \(Self.finding(build))")
                    continue
                }
                do throws(PathComponent.Problem) {
                    let place = try KojiPackage.Place.build(
                        name: build.name, version: build.version, release: build.release, volume: build.volumeName)
                    if case .build(let directory) = place { directories[nvr] = directory }
                } catch {
                    wrong.append("a name of the build of \(module) \(error.reason)")
                }
            }
        } catch {
            throw ComposeFailure(error)
        }
        guard wrong.isEmpty else { throw Self.failure(wrong, of: "module") }
        return directories
    }

    /// Returns the documents of one module: for each architecture its own document, or else the common one.
    private func documents(of module: NSVC, build: String, in directory: KojiPath, arches: [String]) async throws -> [ModuleStream] {
        var streams: [ModuleStream] = []
        var others: [String] = []
        for arch in arches {
            let document = KojiModuleDocument(of: module, build: build, name: "modulemd.\(Self.buildArches[arch] ?? arch).txt")
            if let yaml = try await read(document, in: directory) {
                streams.append(try await document.stream(in: yaml, arch: Self.buildArches[arch] ?? arch))
            } else {
                others.append(arch)
            }
        }
        if others.isEmpty { return streams }
        var document = KojiModuleDocument(of: module, build: build, name: "modulemd.txt")
        var yaml = try await read(document, in: directory)
        if yaml == nil {
            document = KojiModuleDocument(of: module, build: build, name: "modulemd_str")
            yaml = try await hub.getModule(.name(build))?.modulemd
        }
        guard let yaml else { throw document.unusable("it is not there") }
        for arch in others { streams.append(try await document.stream(in: yaml, arch: Self.buildArches[arch] ?? arch)) }
        return streams
    }

    /// The architectures that Koji builds for trees with another name. The keys are the architectures of
    /// the trees.
    private static let buildArches = ["i386": "i686", "armhfp": "armv7hl"]

    private func read(_ document: KojiModuleDocument, in directory: KojiPath) async throws -> String? {
        let path = "\(directory)/files/module/\(document.name)"
        let bytes = try await files.contents(of: path, limit: Self.largestDocument, explain: document.unreadable)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Packages

    /// The number of modules' tags to list at once. The hub needs a fraction of a second for each.
    private static let tagsAtOnce = 4

    /// Returns the packages of the pinned modules.
    func list(
        modulesOf pin: KojiPin, _ metadata: ModuleMetadata, arches: [String], signatures: Bool
    ) async throws -> ModuleArtifacts {
        let modules = pin.modules ?? []
        let event = pin.modulesEvent
        // NAME and NAME-devel share one tag.
        let tags = Dictionary(grouping: modules, by: \.tag).sorted { $0.key < $1.key }
        let contents = try await inParallel(tags, atOnce: Self.tagsAtOnce) { tag, modules in
            do {
                return try await hub.listTaggedRPMS(
                    .name(tag), event: event, arches: arches, rpmsigs: signatures, into: KojiContent()
                ) { content, row in content.add(row) }
            } catch let error as KojiError where error.code == .fault && !error.isTransient {
                let names = modules.map(\.id).joined(separator: ", ")
                throw ComposeFailure(
                    .sourceNotUsable, "The packages of the module \(names), which are in the tag \(tag), cannot be listed: \(error.message)"
                )
            }
        }
        let content = Dictionary(zip(tags.map(\.key), contents), uniquingKeysWith: { first, _ in first })
        let documents = Dictionary(grouping: metadata.streams, by: \.id.description)
        var artifacts = ModuleArtifacts()
        for module in modules {
            artifacts.add(
                module, documents[module.id] ?? [], from: content[module.tag] ?? KojiContent(), arches: Set(arches), event: event)
        }
        let pinned = Set(modules.map(\.id))
        artifacts.streams += metadata.streams.filter { !pinned.contains($0.id.description) }
        return artifacts
    }
}
