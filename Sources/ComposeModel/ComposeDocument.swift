public import Foundation

/// A compose as the HTTP contract writes it. The frontend and the events encode it, clients decode it.
public struct ComposeDocument: Hashable, Sendable, Codable {
    public var id: Int
    public var owner: String
    public var sourceType: Int
    public var source: String
    public var state: Int
    public var stateName: String
    public var stateReason: String?
    public var failure: ComposeFailure?
    public var timeSubmitted: String
    public var timeStarted: String?
    public var timeDone: String?
    public var timeToExpire: String?
    public var timeRemoved: String?
    public var removedBy: String?
    public var resultRepo: String
    public var resultRepofile: String
    public var toplevelURL: String
    public var flags: [String]
    public var results: [String]
    public var sigkeys: String
    public var kojiEvent: Int?
    public var kojiTaskID: Int?
    public var packages: String?
    public var builds: String?
    public var arches: String
    public var multilibArches: String
    public var multilibMethod: Int
    public var lookasideRepos: String
    public var modularKojiTags: String?
    public var moduleDefaultsURL: String?
    public var label: String?
    public var composeType: String?
    public var pungiComposeID: String?
    public var scratchModules: String?
    public var parentPungiComposeIDs: String?
    public var scratchBuildTasks: String?
    public var modules: String?
    public var respinOf: String?
    public var baseModuleBrName: String?
    public var baseModuleBrStream: String?
    public var baseModuleBrStreamVersionLTE: Int?
    public var baseModuleBrStreamVersionGTE: Int?
    public var targetDir: String
    /// The watch that the compose was made for. The reference implementation has no such member.
    public var watch: Int?
    /// `link` or `reference`.
    public var delivery: String?
    /// `fail` or `wait`.
    public var onUnsigned: String?
    public var unsignedWaitSeconds: Int?
    /// Whether the `.repo` file has `module_hotfixes=1`. Clients then see the packages independently of the
    /// module streams that they have enabled.
    public var moduleHotfixes: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, owner, source, state, failure, flags, results, sigkeys, packages, builds, arches, label, modules, delivery, watch
        case sourceType = "source_type"
        case stateName = "state_name"
        case stateReason = "state_reason"
        case timeSubmitted = "time_submitted"
        case timeStarted = "time_started"
        case timeDone = "time_done"
        case timeToExpire = "time_to_expire"
        case timeRemoved = "time_removed"
        case removedBy = "removed_by"
        case resultRepo = "result_repo"
        case resultRepofile = "result_repofile"
        case toplevelURL = "toplevel_url"
        case kojiEvent = "koji_event"
        case kojiTaskID = "koji_task_id"
        case multilibArches = "multilib_arches"
        case multilibMethod = "multilib_method"
        case lookasideRepos = "lookaside_repos"
        case modularKojiTags = "modular_koji_tags"
        case moduleDefaultsURL = "module_defaults_url"
        case composeType = "compose_type"
        case pungiComposeID = "pungi_compose_id"
        case scratchModules = "scratch_modules"
        case parentPungiComposeIDs = "parent_pungi_compose_ids"
        case scratchBuildTasks = "scratch_build_tasks"
        case respinOf = "respin_of"
        case baseModuleBrName = "base_module_br_name"
        case baseModuleBrStream = "base_module_br_stream"
        case baseModuleBrStreamVersionLTE = "base_module_br_stream_version_lte"
        case baseModuleBrStreamVersionGTE = "base_module_br_stream_version_gte"
        case targetDir = "target_dir"
        case onUnsigned = "on_unsigned"
        case unsignedWaitSeconds = "unsigned_wait_seconds"
        case moduleHotfixes = "module_hotfixes"
    }

    /// Creates the document of a compose.
    ///
    /// - Parameter targetURL: The URL at which the compose's target directory is served, without a trailing
    ///   slash. Example: `http://h/composes`.
    public init(_ compose: Compose, targetURL: String) {
        let request = compose.request
        let layout = ComposeLayout(id: compose.resultOf)
        func words(_ list: [String]) -> String { list.joined(separator: " ") }
        func wordsOrNil(_ list: [String]) -> String? { list.isEmpty ? nil : words(list) }
        id = compose.id
        owner = compose.owner
        sourceType = request.sourceType.rawValue
        source = compose.source
        state = compose.state.rawValue
        stateName = compose.state.name
        stateReason = compose.stateReason
        failure = compose.failure
        timeSubmitted = Self.format(compose.timeSubmitted)
        timeStarted = compose.timeStarted.map(Self.format)
        timeDone = compose.timeDone.map(Self.format)
        timeToExpire = Self.format(compose.timeToExpire)
        timeRemoved = compose.timeRemoved.map(Self.format)
        removedBy = compose.removedBy
        toplevelURL = "\(targetURL)/\(layout.directory)"
        let hasRepository = request.sourceType.traits.hasRepository
        resultRepo = hasRepository ? "\(toplevelURL)/\(ComposeLayout.repositories)" : ""
        resultRepofile = hasRepository ? "\(toplevelURL)/\(layout.repoFile)" : ""
        flags = request.flags.names
        results = request.results.names
        sigkeys = words(compose.sigkeys)
        kojiEvent = compose.kojiEvent
        kojiTaskID = compose.kojiTaskID
        packages = wordsOrNil(request.packages)
        builds = wordsOrNil(request.builds)
        arches = words(compose.arches)
        multilibArches = words(request.multilibArches)
        multilibMethod = request.multilibMethods.rawValue
        lookasideRepos = words(request.lookasideRepos)
        modularKojiTags = wordsOrNil(request.modularKojiTags)
        moduleDefaultsURL = request.moduleDefaultsURL.map { url in request.moduleDefaultsCommit.map { "\(url) \($0)" } ?? url }
        label = request.label
        composeType = request.composeType
        pungiComposeID = compose.pungiComposeID
        scratchModules = wordsOrNil(request.scratchModules)
        parentPungiComposeIDs = wordsOrNil(request.parentPungiComposeIDs)
        scratchBuildTasks = wordsOrNil(request.scratchBuildTasks)
        modules = wordsOrNil(request.modules)
        respinOf = request.respinOf
        baseModuleBrName = request.baseModuleBrName
        baseModuleBrStream = request.baseModuleBrStream
        baseModuleBrStreamVersionLTE = request.baseModuleBrStreamVersionLTE
        baseModuleBrStreamVersionGTE = request.baseModuleBrStreamVersionGTE
        targetDir = request.targetDir
        watch = compose.watch
        delivery = request.delivery.rawValue
        onUnsigned = request.unsignedWaitSeconds == nil ? "fail" : "wait"
        unsignedWaitSeconds = request.unsignedWaitSeconds
        moduleHotfixes = request.moduleHotfixes ?? false
    }

    /// Returns the date as `YYYY-MM-DDTHH:MM:SSZ`, in UTC and without fractions of a second. Example:
    /// `2020-09-13T12:26:40Z`.
    public static func format(_ date: Date) -> String {
        var second = time_t(date.timeIntervalSince1970.rounded(.down))
        var utc = tm()
        // Foundation's own formatting asks for a calendar each time. That takes longer than the rest of a
        // document.
        gmtime_r(&second, &utc)
        var text: [UInt8] = []
        func append(_ number: Int32, digits: Int, then end: Unicode.Scalar) {
            let number = String(number).utf8
            text.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, digits - number.count)))
            text.append(contentsOf: number)
            text.append(UInt8(ascii: end))
        }
        append(utc.tm_year + 1900, digits: 4, then: "-")
        append(utc.tm_mon + 1, digits: 2, then: "-")
        append(utc.tm_mday, digits: 2, then: "T")
        append(utc.tm_hour, digits: 2, then: ":")
        append(utc.tm_min, digits: 2, then: ":")
        append(utc.tm_sec, digits: 2, then: "Z")
        return String(decoding: text, as: UTF8.self)
    }
}

extension ComposeDocument {
    /// The value of a member. A member without a value is written as `null`.
    private enum Member: Encodable {
        case integer(Int?)
        case text(String?)
        case words([String])
        case truth(Bool?)
        case failure(ComposeFailure?)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .integer(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            case .words(let value): try container.encode(value)
            case .truth(let value): try container.encode(value)
            case .failure(let value): try container.encode(value)
            }
        }

        func write(to json: inout JSONWriter) {
            switch self {
            case .integer(let value?): json.integer(value)
            case .text(let value?): json.string(value)
            case .words(let value): json.array(value) { $0.string($1) }
            case .truth(let value?): json.bool(value)
            case .failure(let value?): value.write(to: &json)
            default: json.null()
            }
        }
    }

    private func member(_ key: CodingKeys) -> Member {
        switch key {
        case .id: .integer(id)
        case .owner: .text(owner)
        case .sourceType: .integer(sourceType)
        case .source: .text(source)
        case .state: .integer(state)
        case .stateName: .text(stateName)
        case .stateReason: .text(stateReason)
        case .failure: .failure(failure)
        case .timeSubmitted: .text(timeSubmitted)
        case .timeStarted: .text(timeStarted)
        case .timeDone: .text(timeDone)
        case .timeToExpire: .text(timeToExpire)
        case .timeRemoved: .text(timeRemoved)
        case .removedBy: .text(removedBy)
        case .resultRepo: .text(resultRepo)
        case .resultRepofile: .text(resultRepofile)
        case .toplevelURL: .text(toplevelURL)
        case .flags: .words(flags)
        case .results: .words(results)
        case .sigkeys: .text(sigkeys)
        case .kojiEvent: .integer(kojiEvent)
        case .kojiTaskID: .integer(kojiTaskID)
        case .packages: .text(packages)
        case .builds: .text(builds)
        case .arches: .text(arches)
        case .multilibArches: .text(multilibArches)
        case .multilibMethod: .integer(multilibMethod)
        case .lookasideRepos: .text(lookasideRepos)
        case .modularKojiTags: .text(modularKojiTags)
        case .moduleDefaultsURL: .text(moduleDefaultsURL)
        case .label: .text(label)
        case .composeType: .text(composeType)
        case .pungiComposeID: .text(pungiComposeID)
        case .scratchModules: .text(scratchModules)
        case .parentPungiComposeIDs: .text(parentPungiComposeIDs)
        case .scratchBuildTasks: .text(scratchBuildTasks)
        case .modules: .text(modules)
        case .respinOf: .text(respinOf)
        case .baseModuleBrName: .text(baseModuleBrName)
        case .baseModuleBrStream: .text(baseModuleBrStream)
        case .baseModuleBrStreamVersionLTE: .integer(baseModuleBrStreamVersionLTE)
        case .baseModuleBrStreamVersionGTE: .integer(baseModuleBrStreamVersionGTE)
        case .targetDir: .text(targetDir)
        case .watch: .integer(watch)
        case .delivery: .text(delivery)
        case .onUnsigned: .text(onUnsigned)
        case .unsignedWaitSeconds: .integer(unsignedWaitSeconds)
        case .moduleHotfixes: .truth(moduleHotfixes)
        }
    }

    /// Encodes every member. A member without a value is `null`, because the contract leaves out no member.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        for key in CodingKeys.allCases { try container.encode(member(key), forKey: key) }
    }

    private static let keysByName = CodingKeys.allCases.sorted { $0.rawValue < $1.rawValue }

    /// Writes the document as JSON, with members in the order of their names.
    ///
    /// - Parameter valueless: Names of additional members, in order, which are written as `null`.
    public func write(to json: inout JSONWriter, valueless: [String] = []) {
        json.object { json in
            var further = valueless[...]
            for key in Self.keysByName {
                let name = key.rawValue
                while let other = further.first, other < name {
                    json.name(other)
                    json.null()
                    further.removeFirst()
                }
                json.name(name)
                member(key).write(to: &json)
            }
            for other in further {
                json.name(other)
                json.null()
            }
        }
    }
}

extension ComposeFailure {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.name("code")
            json.string(code.rawValue)
            json.name("details")
            json.array(details) { $1.write(to: &$0) }
            json.name("isTransient")
            json.bool(isTransient)
            json.name("message")
            json.string(message)
        }
    }
}

extension ComposeFailure.Detail {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            func text(_ name: String, _ value: String?) {
                guard let value else { return }
                json.name(name)
                json.string(value)
            }
            text("arch", arch)
            if let nearest {
                json.name("nearest")
                json.array(nearest) { $0.string($1) }
            }
            text("package", package)
            text("requirement", requirement)
            text("text", self.text)
        }
    }
}
