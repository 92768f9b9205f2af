import Foundation
import Subprocess
import SystemPackage

/// Python's dnf, asked many things in one process.
enum Dnf {
    struct Question: Encodable {
        let repositories: [String]
        /// What is to be installed; none: which packages there are is asked, the best of each name.
        let packages: [String]
        /// Streams to enable.
        var enabled: [String] = []
    }

    /// Distributions install dnf for their own Python, which need not be the first in the path.
    private static let python = Executable.path("/usr/bin/python3")

    static var isAvailable: Bool {
        get async {
            let result = try? await run(python, arguments: ["-c", "import dnf"], output: .discarded, error: .discarded)
            return result?.terminationStatus.isSuccess == true
        }
    }

    /// What dnf would install to have the packages, or which there are, without what a repository named lookaside has and nobody asked for; `nil`
    /// where it refuses.
    static func ask(_ questions: [Question], below directory: URL) async throws -> [[String]?] {
        let file = directory.appending(path: "questions.json")
        try JSONEncoder().encode(questions).write(to: file)
        let result = try await run(
            python, arguments: ["-c", script, file.path, directory.path], output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else { throw WorldError(line: result.standardError) }
        return try JSONDecoder().decode([[String]?].self, from: Data(result.standardOutput.utf8))
    }

    private static let script = """
        import dnf, dnf.module.module_base, json, libdnf, logging, os, sys
        logging.disable(logging.CRITICAL)
        answers = []
        for question in json.load(open(sys.argv[1])):
            with dnf.Base() as base:
                base.conf.installroot = base.conf.persistdir = os.path.join(sys.argv[2], "root")
                base.conf.cachedir = os.path.join(sys.argv[2], "cache")
                base.conf.substitutions["arch"] = base.conf.substitutions["basearch"] = "x86_64"
                base.conf.substitutions["releasever"] = "1"
                base.conf.install_weak_deps = False
                base.conf.module_platform_id = "platform:f26"
                for path in question["repositories"]:
                    base.repos.add_new_repo(path.strip("/").replace("/", "-"), base.conf, baseurl=["file://" + path])
                base.fill_sack(load_system_repo=False)
                try:
                    if question["enabled"]:
                        try:
                            dnf.module.module_base.ModuleBase(base).enable(question["enabled"])
                        except dnf.exceptions.MarkingErrors as error:
                            # That a default gives way to what was enabled, or the newest version to an older one, is told in the same way.
                            kinds = libdnf.module.ModulePackageContainer
                            if error.module_depsolv_errors[1] not in (
                                kinds.ModuleErrorType_ERROR_IN_DEFAULTS, kinds.ModuleErrorType_ERROR_IN_LATEST):
                                raise
                    if not question["packages"]:
                        there = [p for p in base.sack.query().available() if not p.reponame.endswith("-lookaside") and p.arch != "src"]
                        best = base.sack.query().filterm(pkg=there).latest()
                        answers.append([str(p) for p in best])
                        continue
                    for package in question["packages"]:
                        base.install(package)
                    base.resolve()
                    lookaside = {str(p) for p in base.sack.query() if p.reponame.endswith("-lookaside")}
                    dropped = lookaside - set(question["packages"])
                    answers.append([str(p) for p in base.transaction.install_set if str(p) not in dropped])
                except (dnf.exceptions.MarkingErrors, dnf.exceptions.MarkingError, dnf.exceptions.DepsolveError):
                    answers.append(None)
        json.dump(answers, sys.stdout)
        """
}
