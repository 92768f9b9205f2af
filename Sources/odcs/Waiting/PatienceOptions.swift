import ArgumentParser
import ComposeClient
import ComposeModel

/// The options for waiting: whether a command waits until the compose is ready, and how much it prints
/// meanwhile.
struct PatienceOptions: ParsableArguments {
    @Flag(help: "Return as soon as the service has accepted the request.")
    var noWait = false

    @Flag(help: "Print the compose's log while it grows.")
    var watch = false

    @Flag(name: [.long, .short], help: "Print nothing while waiting.")
    var quiet = false

    func validate() throws {
        if noWait && watch { throw ValidationError("--no-wait and --watch exclude each other") }
    }

    /// Returns the waiting for a compose, with these options.
    func waiting(for id: Int, client: ComposeClient, json: Bool) -> Waiting {
        Waiting(id: id, client: client, console: .current, showsLog: watch, isQuiet: quiet, json: json)
    }
}
