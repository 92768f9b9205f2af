import ComposeModel
import Foundation
import Processes
import SystemPackage
import TraceContext

/// A Pungi result is the compose that Pungi has made.
struct PungiResult: Hashable, Sendable {
    /// The compose's own directory, with `compose/`, COMPOSE_ID and STATUS in it.
    let directory: FilePath
    /// The compose's id from COMPOSE_ID. If that file has no valid id, this is the name of the directory.
    let id: String
    /// Whether STATUS is FINISHED_INCOMPLETE. In that case a part that may be absent is absent.
    let isIncomplete: Bool
}

/// A Pungi runner makes a compose with Pungi, from a configuration that was checked out.
///
/// ```
/// DIRECTORY/   HOME and TMPDIR of Pungi
///   composes/  its --target-dir, in which it makes the compose's directory
/// ```
struct PungiRunner: Sendable {
    let configuration: PungiConfiguration
    let log: ComposeLog

    private static let finished = ["FINISHED": false, "FINISHED_INCOMPLETE": true]

    /// Runs Pungi to its end. Writes its output to the log of the compose, line by line.
    ///
    /// - Parameters:
    ///   - checkout: The configuration. `pungi.conf` is written beside it.
    ///   - directory: The directory to create, on the file system on which the result is to stay.
    ///   - oldComposes: The directory of earlier composes, parts of which Pungi may reuse.
    ///
    /// Throws:
    ///
    /// - `.limitExceeded` if Pungi takes too long.
    /// - `.sourceNotUsable` if Pungi does not finish the compose.
    /// - `.storage` if the disk is full.
    /// - `.internal` if Pungi cannot be started.
    /// - `CancellationError` if the task is canceled.
    ///
    /// In each case no process of Pungi's session runs any more.
    func run(
        _ checkout: RawConfigCheckout, for inputs: PungiInputs, in directory: FilePath, oldComposes: FilePath? = nil
    ) async throws -> PungiResult {
        guard let config = configuration.rawConfigs[checkout.pin.name] else {
            throw ComposeFailure(.internal, "This worker has no Pungi configuration called \(checkout.pin.name).")
        }
        let composes = directory.appending("composes")
        do {
            try FileManager.default.createDirectory(atPath: composes.string, withIntermediateDirectories: true)
        } catch {
            throw ComposeFailure(storage: error)
        }
        let file = try writeConfiguration(config, of: checkout, inputs)
        try await validate(file, config, inputs, in: directory)

        var arguments = ["--config=\(file)", "--no-latest-link", "--target-dir=\(composes)"]
        arguments += inputs.arguments(config.arguments ?? configuration.arguments)
        if let oldComposes { arguments.append("--old-composes=\(oldComposes)") }
        let timeLimit = config.timeLimit ?? configuration.timeLimit
        log.write(.info, "Pungi begins, with the configuration \(checkout.pin.name) at \(checkout.pin.commit).")
        let (ending, output) = try await run(configuration.executable, arguments, inputs, in: directory, timeLimit: timeLimit)
        log.write(.info, "Pungi \(ending.inWords).")
        let made = composeDirectory(in: composes)
        guard ending == .exited(0) else { throw failure(ending, output, status: made?.status, timeLimit) }
        guard let made else {
            throw ComposeFailure(
                .sourceNotUsable, lines: Self.quoting(output, after: "Pungi ended without an error and has made no compose."))
        }
        guard let isIncomplete = Self.finished[made.status] else {
            throw ComposeFailure(
                .sourceNotUsable,
                lines: Self.quoting(
                    output,
                    after: "Pungi ended without an error, but its compose is not finished: its STATUS is "
                        + "\(made.status.isEmpty ? "missing" : made.status)."))
        }
        return PungiResult(directory: made.path, id: made.id, isIncomplete: isIncomplete)
    }

    // MARK: Configuration

    /// Writes `pungi.conf` beside the configuration's own file, and returns its path. Files that the
    /// configuration imports or names are found beside it.
    private func writeConfiguration(
        _ config: PungiConfiguration.RawConfig, of checkout: RawConfigCheckout, _ inputs: PungiInputs
    ) throws -> FilePath {
        let name = FilePath(config.configFilename)
        // A directory in the file's name takes the place of `path`.
        let folder = name.components.count > 1 ? name.removingLastComponent().string : config.path ?? ""
        let directory = folder.isEmpty ? checkout.directory : checkout.directory.appending(folder)
        let source = directory.appending(name.lastComponent?.string ?? "")
        let main = directory.appending("pungi.conf")
        guard let content = Self.contents(of: source, within: checkout.directory) else {
            throw ComposeFailure(
                .sourceNotUsable,
                "The Pungi configuration \(checkout.pin.name) has no file \(folder.isEmpty ? "" : folder + "/")\(name.lastComponent?.string ?? "") at the commit \(checkout.pin.commit)."
            )
        }
        do {
            guard let wrapper = config.wrapper else {
                if source != main { try Self.replace(main, by: content) }
                return main
            }
            guard let text = FileManager.default.contents(atPath: wrapper.string) else {
                throw PungiWrapper.unusable("it cannot be read")
            }
            let filled = try PungiWrapper(text: String(decoding: text, as: UTF8.self)).filled(with: inputs.members)
            try Self.replace(directory.appending("raw_config.conf"), by: content)
            try Self.replace(main, by: Data(filled.utf8))
            return main
        } catch let error as ComposeFailure {
            throw error
        } catch {
            throw ComposeFailure(storage: error)
        }
    }

    /// Returns the content of the file. Returns `nil` if the file does not exist, or if a symbolic link
    /// leads out of `root`.
    private static func contents(of file: FilePath, within root: FilePath) -> Data? {
        let resolved = URL(filePath: file.string).resolvingSymlinksInPath().path
        let top = URL(filePath: root.string).resolvingSymlinksInPath().path
        guard FilePath(resolved).starts(with: FilePath(top)) else { return nil }
        return FileManager.default.contents(atPath: resolved)
    }

    /// Writes the file in place of any file of the repository with that name, which may be a symbolic link.
    private static func replace(_ file: FilePath, by content: Data) throws {
        try content.write(to: URL(filePath: file.string), options: .atomic)
    }

    private func validate(
        _ file: FilePath, _ config: PungiConfiguration.RawConfig, _ inputs: PungiInputs, in directory: FilePath
    ) async throws {
        guard let validator = configuration.validator else { return }
        var arguments = ["--old-composes"]
        if let schema = config.schemaOverride { arguments += ["--schema-override", schema.string] }
        let (ending, output) = try await run(
            validator, arguments + [file.string], inputs, in: directory, timeLimit: configuration.fetchTimeLimit)
        guard ending == .exited(0) else {
            throw ComposeFailure(
                .sourceNotUsable, lines: Self.quoting(output, after: "The Pungi configuration \(inputs.source) is not valid."))
        }
    }

    // MARK: The process

    private func run(
        _ program: String, _ arguments: [String], _ inputs: PungiInputs, in directory: FilePath, timeLimit: Duration
    ) async throws -> (ChildProcess.Ending, OutputTail) {
        let log = log
        let output = OutputTail(
            hiding: configuration.hidden(inputs.source) + hidden(directory, program),
            limit: configuration.outputLimit, write: { log.write(.info, $0) })
        var environment = ChildProcess.plainEnvironment(home: directory).merging(inputs.variables) { $1 }
        // Pungi continues the trace, as that of the original ODCS does.
        environment["TRACEPARENT"] = TraceParent.current?.description
        environment.merge(configuration.environment) { $1 }
        let child = ChildProcess(
            program: program, arguments: arguments, environment: environment, directory: directory, timeLimit: timeLimit)
        defer { output.finish() }
        do {
            let ending = try await child.run { output.append($0) }
            output.finish()
            return (ending, output)
        } catch let error as ChildProcess.CannotStart {
            throw ComposeFailure(
                .internal,
                "\(FilePath(program).lastComponent?.string ?? "Pungi") \(error.isAbsent ? "is not installed on" : "cannot be started by") this worker. "
                    + "Its operator can help.")
        }
    }

    /// Returns the paths of this host that must not be shown, each with its replacement. They are paths of
    /// the attempt and of the program itself.
    private func hidden(_ directory: FilePath, _ program: String) -> [(String, String)] {
        let places = [directory, directory.removingLastComponent()].filter { !$0.components.isEmpty }
        return places.map { ($0.string + "/", "") } + places.map { ($0.string, ".") }
            + (program.contains("/") ? [(program, FilePath(program).lastComponent?.string ?? "")] : [])
    }

    private func failure(
        _ ending: ChildProcess.Ending, _ output: OutputTail, status: String?, _ timeLimit: Duration
    ) -> ComposeFailure {
        let lines = output.lastLines(40)
        if ending == .timeLimit {
            return ComposeFailure(
                .limitExceeded,
                lines: Self.quoting(
                    output,
                    after: "Pungi took longer than the \(timeLimit.components.seconds) seconds that this service gives it, and was ended."))
        }
        if lines.contains(where: { $0.contains("No space left on device") || $0.contains("Disk quota exceeded") }) {
            return ComposeFailure(storage: Errno.noSpace)
        }
        let left = status.map { $0.isEmpty ? "" : ", and left the compose with the STATUS \($0)" } ?? ""
        return ComposeFailure(.sourceNotUsable, lines: Self.quoting(output, after: "Pungi \(ending.inWords)\(left)."))
    }

    /// Returns a sentence, followed by the end of the program's output. If the output marks lines as
    /// errors, only those lines are quoted.
    private static func quoting(_ output: OutputTail, after sentence: String) -> [String] {
        let lines = output.lastLines(40)
        let errors = lines.filter { $0.contains("[ERROR") || $0.contains("[CRITICAL") }
        let chosen = (errors.isEmpty ? lines : errors).suffix(10)
        return chosen.isEmpty ? ["\(sentence) It said nothing."] : ["\(sentence) The last that it said:"] + chosen
    }

    // MARK: The result

    private struct Made {
        let path: FilePath
        let id: String
        /// The content of STATUS. Empty if the file does not exist.
        let status: String
    }

    /// Returns the only directory that Pungi has made. If there are several, a finished one is preferred.
    private func composeDirectory(in composes: FilePath) -> Made? {
        // A directory that cannot be read is of no use, so it counts as not made by Pungi. The caller explains
        // its absence.
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: composes.string)) ?? []).sorted()
        let all = names.compactMap { name -> Made? in
            let path = composes.appending(name)
            guard let type = try? FileManager.default.attributesOfItem(atPath: path.string)[.type] as? FileAttributeType,
                type == .typeDirectory
            else { return nil }
            return Made(
                path: path, id: text(path.appending("COMPOSE_ID")).flatMap { Self.isID($0) ? $0 : nil } ?? name,
                status: text(path.appending("STATUS")) ?? "")
        }
        return all.first { Self.finished[$0.status] != nil } ?? all.first
    }

    private static func isID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 200
            && text.utf8.allSatisfy { byte in
                (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || "-_.".utf8.contains(byte)
            }
    }

    private func text(_ file: FilePath) -> String? {
        guard let data = FileManager.default.contents(atPath: file.string) else { return nil }
        return String(decoding: data.prefix(200), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
