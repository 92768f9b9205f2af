import ForeignText

/// Explains why a module cannot be found.
struct ModuleAbsence {
    let catalog: any ModuleCatalog
    /// The filter that builds of the module had to pass.
    let filter: ModuleBuildFilter

    /// Returns the failure for a module that a user requested.
    func failure(_ reference: ModuleReference) async throws -> ModuleChoiceError {
        if let reason = try await catalog.reason(forAbsenceOf: reference, filter: filter.applied(to: reference)) {
            return ModuleChoiceError(
                .notFound, "There is no module \(reference) that could be taken. \(reason)",
                findings: [.init(module: reference.description, text: reason)])
        }
        let nearest = try await nearest(to: reference)
        return ModuleChoiceError(
            .notFound, "There is no module \(reference) in \(catalog.name).\(nearest.text)",
            findings: [.init(module: reference.description, nearest: nearest.names)])
    }

    private func nearest(to reference: ModuleReference) async throws -> (names: [String], text: String) {
        let streams = try await catalog.streams(of: reference.name, filter: filter)
        if streams.isEmpty {
            let names = Array(NearestNames(names: try await catalog.modules()).sorted(by: reference.name).prefix(3))
            return (names, names.isEmpty ? "" : " The nearest names are \(names.joined(separator: ", ")).")
        }
        let names: [String]
        if streams.contains(reference.stream) {
            let builds = try await catalog.builds(of: ModuleReference(name: reference.name, stream: reference.stream), filter: filter)
            names = builds.map(\.id).sorted().reversed().prefix(3).map(\.description)
        } else {
            names = NearestNames(names: streams).sorted(by: reference.stream).prefix(5).map { "\(reference.name):\($0)" }
        }
        return (names, " There is \(names.joined(separator: ", ")).")
    }

    /// Returns the failure for a module that another module depends on.
    func failure(_ requirement: StreamRequirement, by asking: ModuleChoice.Chosen) async throws -> ModuleChoiceError {
        var reasons: [String] = []
        for stream in requirement.streams.filter(requirement.accepts).sorted() {
            let reference = ModuleReference(name: requirement.module, stream: stream)
            if let reason = try await catalog.reason(forAbsenceOf: reference, filter: filter) { reasons.append(reason) }
        }
        let finding: String
        if reasons.isEmpty {
            var any = ModuleBuildFilter()
            any.includesDone = filter.includesDone
            any.baseModules = filter.baseModules
            let streams = try await catalog.streams(of: requirement.module, filter: any)
            let names = NearestNames(names: streams).sorted(by: requirement.streams.min() ?? "").prefix(5)
            finding =
                "of which there is "
                + (names.isEmpty ? "no build at all" : "only \(names.map { "\(requirement.module):\($0)" }.joined(separator: ", "))")
                + " in \(catalog.name)."
        } else {
            finding = "which cannot be had. \(reasons.joined(separator: " "))"
        }
        return ModuleChoiceError(
            .brokenDependencies,
            "The module \(asking.build.id) depends on \(requirement), \(finding) It is in by \(asking.chain.asRequest). The flag no_deps leaves out "
                + "what modules depend on.",
            findings: [
                .init(
                    module: asking.build.id.description, requirement: requirement.description, text: asking.chain.joined(separator: " → "))
            ])
    }
}

extension ModuleChoiceError {
    static func baseModule(_ reference: ModuleReference) -> ModuleChoiceError {
        ModuleChoiceError(
            .baseModule,
            "The module \(reference) cannot be in a compose: \(reference.name) is a base module, which every machine has. Modules that were built "
                + "against a certain one are chosen with base_module_br_name and base_module_br_stream.",
            findings: [.init(module: reference.description)])
    }

    static func twoVersions(
        of stream: String, _ first: (version: UInt64, chain: [String]), _ second: (version: UInt64, chain: [String])
    ) -> ModuleChoiceError {
        ModuleChoiceError(
            .brokenDependencies,
            "The module \(stream) is wanted in two versions: \(first.version) by \(first.chain.asRequest), and \(second.version) by "
                + "\(second.chain.asRequest). A compose has one version of a stream; ask for one of them, or make two composes.",
            findings: [first, second].map { .init(module: "\(stream):\($0.version)", text: $0.chain.joined(separator: " → ")) })
    }
}

extension [String] {
    /// A chain of modules that begins with a requested one, in words. Example: `the request for nodejs:20,
    /// which needs python:3.12`.
    fileprivate var asRequest: String { "the request for " + joined(separator: ", which needs ") }
}
