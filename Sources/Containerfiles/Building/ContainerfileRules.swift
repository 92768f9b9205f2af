import ForeignText
public import ImageModel

/// *Containerfile rules* say which instructions are refused before anything runs.
///
/// A Containerfile may come from a stranger. Each rule closes a way out of the build: to the host's
/// network, devices, keys or files.
public struct ContainerfileRules: Hashable, Sendable {
    /// The maximum number of problems that are returned. A stranger's file may have thousands.
    private static let mostProblems = 20

    public var network: BuildNetwork
    /// The ids of the secrets that the image names.
    public var secrets: Set<String>
    /// The names of the build contexts of ODCS. A stage of that name would take their place.
    public var contexts: Set<String>
    /// The paths of the mounts that ODCS adds. Another mount there would hide them.
    public var reservedTargets: [String]

    public init(
        network: BuildNetwork = .none, secrets: Set<String> = [], contexts: Set<String> = ["odcs"],
        reservedTargets: [String] = ["/run/odcs"]
    ) {
        self.network = network
        self.secrets = secrets
        self.contexts = contexts
        self.reservedTargets = reservedTargets
    }

    /// Returns a problem for each refused instruction, in the order of the lines. If there are many, the
    /// last one says that there are more.
    public func problems(in file: Containerfile, arguments: BuildArguments = BuildArguments()) -> [ContainerfileProblem] {
        var problems: [ContainerfileProblem] = []
        if let line = file.syntaxLine {
            problems.append(ContainerfileProblem(line: line, "# syntax= is not allowed: it names a program that replaces the parser"))
        }
        if let line = file.unreadHereDocument {
            problems.append(
                ContainerfileProblem(
                    line: line, "a here-document is not allowed: builders before buildah 1.33 read its lines as instructions"))
        }
        do throws(ContainerfileProblem) {
            let global = try file.globalVariables(arguments: arguments.values, automatic: arguments.automatic)
            for stage in file.stages {
                if let name = stage.name, contexts.contains(name) {
                    problems.append(
                        ContainerfileProblem(line: stage.from.line, "no stage may have the name \(name), which ODCS uses itself"))
                }
                var variables = Variables()
                for instruction in stage.instructions {
                    if problems.count >= Self.mostProblems {
                        let rest = "this line and those below it were not checked; mend the lines above first"
                        return problems + [ContainerfileProblem(line: instruction.line, rest)]
                    }
                    problems += try check(instruction, in: file, variables)
                    try file.follow(instruction, in: &variables, arguments: arguments.values, global: global)
                }
            }
        } catch {
            problems.append(error)
        }
        return problems
    }

    private var mountRules: MountRules { MountRules(secrets: secrets, reservedTargets: reservedTargets) }

    private func check(
        _ instruction: Instruction, in file: Containerfile, _ variables: Variables
    ) throws(ContainerfileProblem) -> [ContainerfileProblem] {
        switch instruction.keyword {
        case .run: try checkRun(instruction, in: file, variables)
        case .add: try checkAdd(instruction, in: file, variables)
        case .onbuild: try checkLater(instruction, in: file, variables)
        default: []
        }
    }

    private func checkRun(
        _ run: Instruction, in file: Containerfile, _ variables: Variables
    ) throws(ContainerfileProblem) -> [ContainerfileProblem] {
        var refusals: [String] = []
        for flag in run.flags {
            let value = try file.expanded(flag.value ?? "", of: run, variables)
            if let name = value.unknown.first {
                refusals.append("RUN --\(flag.name)=\(flag.value ?? "") is not allowed: the value of \(name) is not known here")
                continue
            }
            switch (flag.name, value.text) {
            case ("network", "none"), ("network", "default"), ("security", "sandbox"): break
            case ("mount", let text): refusals += mountRules.refusals(of: text, written: flag.value ?? "")
            case ("network", let text):
                refusals.append("RUN --network=\(text) is not allowed: the network is a property of the image, not of a command")
            case (let name, let text): refusals.append("RUN --\(name)=\(text) is not allowed: no command may leave its sandbox")
            }
        }
        return refusals.map { ContainerfileProblem(line: run.line, $0) }
    }

    private func checkAdd(
        _ add: Instruction, in file: Containerfile, _ variables: Variables
    ) throws(ContainerfileProblem) -> [ContainerfileProblem] {
        guard network == .none else { return [] }
        for word in add.elements ?? ShellWords.words(of: add.arguments, escape: file.escape) {
            let value = try file.expanded(word, of: add, variables)
            if Self.isAddress(value.text) {
                return [
                    ContainerfileProblem(
                        line: add.line, "ADD \(value.text) is not allowed: the image has no network. Put the file into the context")
                ]
            }
            if let name = value.unknown.first {
                return [
                    ContainerfileProblem(
                        line: add.line, "ADD \(word) is not allowed: the value of \(name) is not known here, and may be an address")
                ]
            }
        }
        return []
    }

    /// Returns whether ADD would fetch a text from the network.
    private static func isAddress(_ text: String) -> Bool {
        let text = text.lowercased()
        return text.contains("://") || text.hasPrefix("git@") || text.hasPrefix("github.com/")
    }

    /// Checks the instruction inside of ONBUILD. It runs when another image is built on this one.
    private func checkLater(
        _ onbuild: Instruction, in file: Containerfile, _ variables: Variables
    ) throws(ContainerfileProblem) -> [ContainerfileProblem] {
        let inner: Containerfile
        do {
            let lines = ["FROM scratch", onbuild.arguments] + onbuild.hereDocuments.flatMap { $0.lines + [$0.delimiter] }
            inner = try Containerfile(lines.joined(separator: "\n"))
        } catch {
            return [ContainerfileProblem(line: onbuild.line, error.message)]
        }
        var problems: [ContainerfileProblem] = []
        for instruction in inner.stages.flatMap(\.instructions) { problems += try check(instruction, in: file, variables) }
        return problems.map { ContainerfileProblem(line: onbuild.line, "ONBUILD \($0.message)") }
    }
}
