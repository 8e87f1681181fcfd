#!/usr/bin/perl
# What stands in the place of `florin` in the tests of doc-run: listens, prints a key, answers whoever
# brings one, and leaves a note beside itself when it is asked to stop. Perl is on every Debian.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my ($folder) = readlink($0) =~ m{(.*)/};
$SIG{TERM} = sub { open my $note, '>', "$folder/stopped"; exit };
my $port = $ENV{FLORIN_SERVER__PORT};
my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 9) or die $!;
print "florin @ARGV, key sk_test_abc\n";
while (my $caller = $socket->accept) {
    my $head = '';
    while (defined(my $line = <$caller>)) {
        $head .= $line;
        last if $line eq "\r\n";
    }
    my ($key) = $head =~ /Bearer (\w+)/ or next;
    print $caller "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"key\":\"$key\"}\n";
}
