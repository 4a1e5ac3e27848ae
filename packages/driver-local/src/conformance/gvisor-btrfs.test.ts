import { declareConformance } from './declare-conformance.ts';

declareConformance('gvisor', 'btrfs');
