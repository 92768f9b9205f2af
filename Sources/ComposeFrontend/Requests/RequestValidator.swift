import ComposeModel
import ComposeStore
import ForeignText

/// A request validator turns a request's body into a compose request, and refuses bodies that have no
/// valid meaning.
struct RequestValidator: Sendable {
    let limits: RequestLimits
    let admission: Admission
    /// The names of the target directories.
    let targets: [String]
    /// The names of the configured Pungi configurations.
    let rawConfigs: [String]

    func request(_ body: ComposeRequestBody) throws(RequestRejection) -> ComposeRequest {
        let prefix = body.sourcePrefix
        let type = try sourceType(body)
        // This check comes first: if the server cannot compose from this source type, other faults do not
        // matter.
        if let refusal = admission.capabilities.refusal(of: type) { throw .badRequest(refusal) }
        let source = SourceWords(
            limits: limits, prefix: prefix, allowsDashedModules: body.allowsDashedModules, rawConfigs: rawConfigs)
        let words = WordList(limits: limits)
        var request = ComposeRequest(
            sourceType: type, source: try source.words(body, type: type),
            arches: try arches(body.arches, "arches"), secondsToLive: try secondsToLive(body.secondsToLive))
        if request.arches.isEmpty { request.arches = limits.defaultArches }

        request.packages = try words.packages(body.packages, "\(prefix)packages")
        request.builds = try words.builds(body.builds, "\(prefix)builds")
        request.sigkeys = try words.sigkeys(body.sigkeys, "\(prefix)sigkeys") ?? limits.defaultSigkeys
        request.scratchBuildTasks = try words.taskIDs(body.scratchBuildTasks, "\(prefix)scratch_build_tasks")
        if type == .build, request.builds.isEmpty, request.scratchBuildTasks.isEmpty {
            throw .badRequest("\(prefix)builds is missing; the source type build needs a list of builds, each as NAME-VERSION-RELEASE.")
        }
        request.kojiEvent = try positive(body.kojiEvent, "\(prefix)koji_event")
        try takeModules(of: body, into: &request)

        request.flags = try options(body.flags, "flags", kind: "flag", allowed: limits.allowedFlags)
        request.results = try options(body.results, "results", kind: "result", allowed: limits.allowedResults).union(.repository)
        if request.results != .repository, !type.traits.writesOwnTree {
            throw .badRequest(
                "results can be repository alone with the source type \(type.name): images are made of trees that this service writes itself."
            )
        }
        request.multilibArches = try arches(body.multilibArches, "multilib_arches")
        request.multilibMethods = try options(body.multilibMethods, "multilib_method", kind: "multilib method", allowed: .everyOption)
        request.lookasideRepos = try words.plain(body.lookasideRepos, "lookaside_repos")
        request.label = try label(body.label)
        request.composeType = try composeType(body.composeType)
        request.targetDir = try targetDirectory(body.targetDir)
        request.parentPungiComposeIDs = try words.plain(body.parentPungiComposeIDs, "parent_pungi_compose_ids")
        request.respinOf = try words.single(body.respinOf, "respin_of")
        if type == .rawConfig { try checkArguments(of: request, prefix: prefix) }
        request.delivery = try delivery(body.delivery, of: request)
        request.unsignedWaitSeconds = try unsignedWait(body, of: request)

        if let refusal = admission.refusal(of: request) { throw .badRequest(refusal) }
        return request
    }

    func renewal(_ body: RenewalBody) throws(RequestRejection) -> Renewal {
        let words = WordList(limits: limits)
        return Renewal(
            secondsToLive: try secondsToLive(body.secondsToLive), label: try label(body.label),
            sigkeys: try words.sigkeys(body.sigkeys, "sigkeys"),
            builds: body.builds == nil ? nil : try words.builds(body.builds, "source.builds"),
            modules: body.modules == nil ? nil : try words.modules(body.modules, "source.modules"))
    }

    /// Throws if a list is too long for Pungi. Pungi gets each list as one argument, and no argument of a
    /// program can be longer than 128 KiB.
    private func checkArguments(of request: ComposeRequest, prefix: String) throws(RequestRejection) {
        let lists = [("sigkeys", request.sigkeys), ("builds", request.builds), ("modules", request.modules)]
        for (name, words) in lists where words.reduce(0, { $0 + $1.utf8.count + 1 }) > 100_000 {
            throw .badRequest("\(prefix)\(name) has more than 100000 bytes, which is more than Pungi accepts.")
        }
    }

    private func sourceType(_ body: ComposeRequestBody) throws(RequestRejection) -> SourceType {
        let field = body.sourcePrefix.isEmpty ? "source_type" : "source.type"
        func names() -> NearestNames { NearestNames(names: SourceType.allCases.map(\.name)) }
        guard let name = body.sourceType else {
            throw .badRequest("\(field) is missing; it must be one of: \(names().names.joined(separator: ", ")).")
        }
        guard let type = SourceType.allCases.first(where: { $0.name == name }) else {
            throw .badRequest(
                "\(field) is \(name.quoted), which is no source type; these are: \(names().sorted(by: name).joined(separator: ", ")).")
        }
        return type
    }

    private func secondsToLive(_ asked: [SecondsToLive]) throws(RequestRejection) -> Int {
        for asked in asked {
            guard asked.seconds > 0 else {
                throw .badRequest("\(asked.name) must be at least 1; it is a number of seconds.")
            }
            guard asked.seconds <= Int32.max else {
                throw .badRequest(
                    "\(asked.name) is too large. A compose lives at most \(limits.maximumSecondsToLive) seconds here."
                )
            }
        }
        return min(asked.first?.seconds ?? limits.defaultSecondsToLive, limits.maximumSecondsToLive)
    }

    func positive(_ number: Int?, _ name: String) throws(RequestRejection) -> Int? {
        guard let number, number < 1 else { return number }
        throw .badRequest("\(name) must be at least 1, not \(number).")
    }

    private func arches(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String] {
        let arches = try WordList(limits: limits).plain(asked, name)
        for (index, arch) in arches.enumerated() {
            if ["noarch", "src", "nosrc"].contains(arch) {
                throw .badRequest(
                    "\(name)[\(index)] is \(arch), which is no architecture of a machine; its packages come with every architecture.")
            }
            guard limits.allowedArches.isEmpty || limits.allowedArches.contains(arch) else {
                let possible = NearestNames(names: limits.allowedArches).sorted(by: arch)
                let which = possible.count > 10 ? "the nearest of the \(possible.count) that are possible" : "these are possible"
                throw .badRequest(
                    "\(name)[\(index)] is \(arch.quoted), which is no architecture that this server composes for; \(which): "
                        + "\(possible.prefix(10).joined(separator: ", ")).")
            }
        }
        return arches.uniqued()
    }

    private func options<Options: NamedOptions>(
        _ asked: [String]?, _ field: String, kind: String, allowed: Options
    ) throws(RequestRejection) -> Options {
        var options: Options = []
        for (index, name) in (asked ?? []).enumerated() {
            let possible = Options.names.filter { allowed.isSuperset(of: $0.option) }
            guard let option = possible.first(where: { $0.name == name })?.option else {
                let isKnown = Options(name: name) != nil
                let nearest = NearestNames(names: possible.map(\.name)).sorted(by: name).joined(separator: ", ")
                throw .badRequest(
                    "\(field)[\(index)] is \(name.quoted), which is \(isKnown ? "not allowed by this server" : "no \(kind)"); these are possible: \(nearest)."
                )
            }
            options.formUnion(option)
        }
        return options
    }

    private func targetDirectory(_ asked: String?) throws(RequestRejection) -> String {
        guard let asked, !asked.isEmpty else { return "default" }
        guard targets.contains(asked) else {
            let nearest = NearestNames(names: targets).sorted(by: asked).joined(separator: ", ")
            throw .badRequest("target_dir is \(asked.quoted), which is no target directory of this server; these are: \(nearest).")
        }
        return asked
    }

    /// Returns the type of the compose. The types are those of productmd. The reference uses `test` if none
    /// is given.
    private func composeType(_ asked: String?) throws(RequestRejection) -> String {
        guard let asked else { return "test" }
        let types = ["test", "ci", "nightly", "production", "development"]
        guard types.contains(asked) else {
            let nearest = NearestNames(names: types).sorted(by: asked).joined(separator: ", ")
            throw .badRequest("compose_type is \(asked.quoted), which is no type of a compose; these are: \(nearest).")
        }
        return asked
    }

    /// Returns the label, or `nil` if it is absent or empty. The form is that of productmd, which cannot
    /// read back metadata with any other label. Example: `RC-1.0`.
    private func label(_ asked: String?) throws(RequestRejection) -> String? {
        guard let asked, !asked.isEmpty else { return nil }
        // The label becomes part of metadata and of a database index, so its length is limited.
        guard asked.utf8.count <= 100 else {
            throw .badRequest(
                "label has \(asked.utf8.count) characters; 100 are possible. It is a milestone and two numbers, such as RC-1.0.")
        }
        let names = [
            "EA", "DevelPhaseExit", "InternalAlpha", "Alpha", "InternalSnapshot", "Beta", "Snapshot", "RC", "Update", "SecurityFix",
        ]
        let parts = asked.split(separator: "-", omittingEmptySubsequences: false)
        let version = parts.count == 2 ? parts[1].split(separator: ".", omittingEmptySubsequences: false) : []
        guard names.contains(String(parts[0])), version.count == 2, version.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) })
        else {
            throw .badRequest(
                "label is \(asked.quoted); it must be a milestone and two numbers, such as RC-1.0. The milestones are: "
                    + "\(names.joined(separator: ", ")).")
        }
        return asked
    }
}
